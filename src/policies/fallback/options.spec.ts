import { fallbackValue } from './handler.js';
import { problemsOf } from '../../../test/support/fallback-stage.js';

describe('a fallback', () => {
  describe('is refused at bootstrap', () => {
    it.each<[string, object, string]>([
      ['without a handler', {}, 'handler is undefined'],
      ['with something else', { handler: 7 }, 'handler is 7'],
      ['with an invalid object', { handler: { kind: 'value' } }, 'handler is { kind:'],
      [
        'with an unknown method',
        { handler: 'formr' },
        `handler is 'formr'; use the name of a method of Books`,
      ],
      [
        'with a member that is not a method',
        { handler: 'calls' },
        `handler is 'calls'; use the name of a method of Books`,
      ],
      ...['constructor', 'toString', 'hasOwnProperty', '__proto__'].map(
        (name): [string, object, string] => [
          `with a member of every object: ${name}`,
          { handler: name },
          `handler is '${name}'; use the name of a method of Books`,
        ],
      ),
      [
        'with the method itself',
        { handler: 'list' },
        `handler is 'list'; use a method other than the one it answers for`,
      ],
      [
        'with a class that is not a provider',
        {
          handler: class Former {
            handle(): void {}
          },
        },
        'a class that a module of the application has as a singleton provider',
      ],
      ['with a class without handle()', { handler: class Former {} }, 'handler is function Former'],
      ['with an empty list', { handler: [] }, 'a list with at least one choice'],
      ['with an invalid choice', { handler: [null] }, 'handler[0] is null'],
      [
        'with a choice with a bad matcher',
        { handler: [{ on: Error, handler: fallbackValue(1) }] },
        'handler[0].on is function Error',
      ],
      [
        'with a choice with a misspelt option',
        { handler: [{ onn: [], handler: fallbackValue(1) }] },
        'handler[0].onn is not an option',
      ],
      ['with a choice without a handler', { handler: [{ on: [Error] }] }, 'handler is undefined'],
      [
        'with onResult, which it does not have',
        { handler: fallbackValue(1), onResult: () => true },
        'onResult is not an option',
      ],
      ['with a misspelt option', { handler: fallbackValue(1), onn: [] }, 'onn is not an option'],
    ])('%s', (_what, options, problem) => {
      expect(problemsOf(options)).toEqual([expect.stringContaining(problem)]);
    });

    it('on a handler that sends its response itself', () => {
      expect(problemsOf({ handler: fallbackValue(1) }, { sendsResponse: true })).toEqual([
        expect.stringContaining('the handler sends its response itself'),
      ]);
    });
  });
});
