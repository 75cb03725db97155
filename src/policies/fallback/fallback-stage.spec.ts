import { runInNewContext } from 'node:vm';
import { HttpException } from '@nestjs/common';
import { ResilienceError } from '../../common/errors.js';
import { Harness, down, failing } from '../../../test/support/fallback-stage.js';
import { type FallbackContext, fallbackValue } from './handler.js';

class Rejection extends ResilienceError {
  constructor(code = 'CIRCUIT_OPEN') {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

describe('a fallback', () => {
  it('does nothing when the call succeeds', async () => {
    const handler = jest.fn();
    const harness = new Harness({ handler });
    const call = harness.call(() => 'books');
    await expect(harness.start(call)).resolves.toBe('books');
    expect(handler).not.toHaveBeenCalled();
    expect(call.source).toBe('live');
    expect(harness.fallbackEvents).toEqual([]);
  });

  it('may be a function, which gets a context and the arguments', async () => {
    const handler = jest.fn(async (..._given: unknown[]) => 'from fallback');
    const harness = new Harness({ handler });
    const args = [{}, 2];
    const call = harness.call(failing, args);
    await expect(harness.start(call)).resolves.toBe('from fallback');
    const context: FallbackContext = {
      name: 'Books.list',
      error: down,
      rejected: false,
      attempts: 1,
    };
    expect(handler.mock.calls).toEqual([[context, ...args]]);
    expect(handler.mock.calls[0]![1]).toBe(args[0]);
    expect(call.source).toBe('fallback');
    expect(harness.fallbackEvents).toEqual([
      {
        type: 'fallback',
        name: 'Books.list',
        handler: 'mockConstructor',
        outcome: 'success',
        error: down,
      },
    ]);
  });

  it('may answer with undefined', async () => {
    await expect(new Harness({ handler: () => undefined }).run()).resolves.toBeUndefined();
  });

  it('may be a method, called on the same object, with the context after the declared parameters', async () => {
    const harness = new Harness({ handler: 'former' });
    await expect(harness.run(failing, ['a'])).resolves.toBe('former');
    await harness.run(failing, ['a', 'b', 'c']);
    const context = expect.objectContaining({ error: down });
    expect(harness.books.calls).toEqual([
      ['a', undefined, context],
      ['a', 'b', 'c', context],
    ]);
  });

  it('may be a class, which is a provider of the application', async () => {
    class FormerBooks {
      constructor(private readonly answer: string) {}

      handle({ error }: FallbackContext, ...args: string[]): string {
        return `${this.answer} to ${(error as Error).message} of ${args.join()}`;
      }
    }
    const harness = new Harness({ handler: FormerBooks });
    harness.providers.set(FormerBooks, new FormerBooks('former'));
    await expect(harness.run(failing, ['a', 'b'])).resolves.toBe('former to down of a,b');
    expect(harness.fallbackEvents[0]).toMatchObject({ handler: 'FormerBooks' });
  });

  it('may be a value, returned by identity', async () => {
    const books: unknown[] = [];
    const harness = new Harness({ handler: fallbackValue(books) });
    await expect(harness.run()).resolves.toBe(books);
    await expect(new Harness({ handler: fallbackValue(undefined) }).run()).resolves.toBeUndefined();
    expect(harness.fallbackEvents[0]).toMatchObject({ handler: 'value' });
  });

  it.each([
    ['our own rejections', new Rejection(), true],
    ['our own timeouts', new Rejection('TIMEOUT'), true],
    ['a foreign 503', new HttpException('x', 503), false],
    ['a malformed answer', new SyntaxError('x'), false],
    ['an abort that no caller asked for', new DOMException('x', 'AbortError'), false],
  ])('answers %s, and knows whether the call was rejected', async (_what, error, rejected) => {
    const handler = jest.fn().mockReturnValue(1);
    await new Harness({ handler }).run(() => Promise.reject(error));
    expect(handler).toHaveBeenCalledWith(expect.objectContaining({ error, rejected }));
  });

  it.each([
    ['a 404', new HttpException('x', 404)],
    ['a programmer error', new TypeError('x')],
  ])('does not answer %s', async (_what, error) => {
    const harness = new Harness({ handler: fallbackValue(1) });
    await expect(harness.run(() => Promise.reject(error))).rejects.toBe(error);
    expect(harness.fallbackEvents).toEqual([]);
  });

  it('answers errors in on, but not those in skip', async () => {
    const harness = new Harness({
      handler: fallbackValue(1),
      on: [HttpException],
      skip: [Rejection, RangeError],
    });
    await expect(harness.run(() => Promise.reject(new HttpException('x', 404)))).resolves.toBe(1);
    await expect(harness.run(() => Promise.reject(new RangeError('x')))).rejects.toThrow('x');
    await expect(harness.run(() => Promise.reject(new Rejection('X')))).rejects.toThrow('m');
  });

  it('does not answer a caller that has gone', async () => {
    const handler = jest.fn();
    const harness = new Harness({ handler });
    const call = harness.call(() => new Promise(() => {}));
    const done = harness.start(call);
    call.abort(new Error('gone'));
    await expect(done).rejects.toThrow('gone');
    expect(handler).not.toHaveBeenCalled();
  });

  it('gets the number of attempts', async () => {
    const handler = jest.fn().mockReturnValue(1);
    const harness = new Harness({ handler });
    const call = harness.call(failing);
    call.attempt = 4;
    await harness.start(call);
    expect(handler).toHaveBeenCalledWith(expect.objectContaining({ attempts: 4 }));
  });

  describe('that fails itself', () => {
    it.each<[string, (error: Error) => () => unknown]>([
      [
        'by throwing',
        (error) => () => {
          throw error;
        },
      ],
      ['by rejecting', (error) => () => Promise.reject(error)],
    ])('%s throws its error, with the original as the cause', async (_how, handlerOf) => {
      const own = new Error('fallback');
      const harness = new Harness({ handler: handlerOf(own) });
      await expect(harness.run()).rejects.toBe(own);
      expect(own.cause).toBe(down);
      expect(Object.keys(own)).toEqual([]);
      expect(harness.fallbackEvents).toEqual([
        expect.objectContaining({ outcome: 'failure', error: down }),
      ]);
    });

    it('keeps the own cause of its error', async () => {
      const own = new Error('fallback', { cause: 'mine' });
      await expect(new Harness({ handler: () => Promise.reject(own) }).run()).rejects.toBe(own);
      expect(own.cause).toBe('mine');
    });

    it('may throw the original, which does not become its own cause', async () => {
      const handler = ({ error }: FallbackContext): never => {
        throw error;
      };
      await expect(new Harness({ handler }).run()).rejects.toBe(down);
      expect(down.cause).toBeUndefined();
    });

    it('may throw a value that cannot have a cause', async () => {
      const frozen = Object.freeze(new Error('fallback'));
      await expect(new Harness({ handler: () => Promise.reject(frozen) }).run()).rejects.toBe(
        frozen,
      );
      await expect(new Harness({ handler: () => Promise.reject('text') }).run()).rejects.toBe(
        'text',
      );
    });

    it('may throw an error of another realm', async () => {
      const foreign = runInNewContext(`new Error('foreign')`) as Error;
      await expect(new Harness({ handler: () => Promise.reject(foreign) }).run()).rejects.toBe(
        foreign,
      );
      expect(foreign.cause).toBe(down);
    });
  });

  describe('with a list of choices', () => {
    class StorageError extends Error {}
    class SlowStorageError extends StorageError {}
    const answerOf = (choices: object[], error: unknown): Promise<unknown> =>
      new Harness({ handler: choices as never }).run(() => Promise.reject(error));

    it('answers by the nearest error class, wherever it stands in the list', async () => {
      const choices = [
        { on: [Error], handler: fallbackValue('any error') },
        { on: [StorageError, RangeError], handler: fallbackValue('storage') },
        { on: [SlowStorageError], handler: fallbackValue('slow storage') },
        { handler: fallbackValue('anything') },
      ];
      for (const list of [choices, [...choices].reverse()]) {
        expect(await answerOf(list, new SlowStorageError())).toBe('slow storage');
        expect(await answerOf(list, new StorageError())).toBe('storage');
        expect(await answerOf(list, new RangeError())).toBe('storage');
        expect(await answerOf(list, new Error())).toBe('any error');
        expect(await answerOf(list, 'text')).toBe('anything');
      }
    });

    it('takes the first of equally near choices', async () => {
      const choices = [
        { on: [StorageError], handler: fallbackValue(1) },
        { on: [StorageError], handler: fallbackValue(2) },
        { handler: fallbackValue(3) },
        { handler: fallbackValue(4) },
      ];
      expect(await answerOf(choices, new StorageError())).toBe(1);
      expect(await answerOf(choices, new Error())).toBe(3);
    });

    it('takes a predicate as nearest', async () => {
      const choices = [
        { on: [Error], handler: fallbackValue('class') },
        {
          on: [(error: unknown) => error instanceof StorageError],
          handler: fallbackValue('predicate'),
        },
      ];
      expect(await answerOf(choices, new SlowStorageError())).toBe('predicate');
      expect(await answerOf(choices, down)).toBe('class');
    });

    it('leaves the error when no choice matches', async () => {
      await expect(
        answerOf([{ on: [StorageError], handler: fallbackValue(1) }], down),
      ).rejects.toBe(down);
    });

    it('answers an error that would be ignored if a choice lists it', async () => {
      const notFound = new HttpException('x', 404);
      expect(await answerOf([{ on: [HttpException], handler: fallbackValue(1) }], notFound)).toBe(
        1,
      );
    });

    it('takes a predicate that throws as no match', async () => {
      const broken = (): boolean => {
        throw new Error('broken');
      };
      const choices = [{ on: [broken], handler: fallbackValue(1) }, { handler: fallbackValue(2) }];
      expect(await answerOf(choices, down)).toBe(2);
    });
  });
});
