import { BadRequestException, ConflictException, HttpException } from '@nestjs/common';
import { ResilienceError } from '../errors.js';
import { readOptions } from '../../../test/support/read-options.js';
import { Classifier } from './classifier.js';
import { isFailure } from './default-outcome.js';
import { readOutcomeOptions } from './outcome.js';
import { StreamResult } from './stream-result.js';

class DeadlockError extends Error {}

class Rejection extends ResilienceError {
  constructor(code: string) {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

const throws = (): boolean => {
  throw new Error('broken predicate');
};

describe('Classifier', () => {
  it('looks at ignore first, then at skip, then at on', () => {
    const among = (...words: string[]) => [(error: unknown) => words.includes(String(error))];
    const classifier = new Classifier({
      ignore: among('all', 'ignore and skip', 'ignore and on'),
      skip: among('all', 'ignore and skip', 'skip and on'),
      on: among('all', 'ignore and on', 'skip and on', 'on'),
    });
    expect(classifier.ofError('all')).toBe('ignored');
    expect(classifier.ofError('ignore and skip')).toBe('ignored');
    expect(classifier.ofError('ignore and on')).toBe('ignored');
    expect(classifier.ofError('skip and on')).toBe('success');
    expect(classifier.ofError('on')).toBe('failure');
  });

  it('takes an error in skip for an answer, and ignores one in ignore', () => {
    const classifier = new Classifier({ skip: [RangeError], ignore: [DeadlockError] });
    expect(classifier.ofError(new RangeError())).toBe('success');
    expect(classifier.ofError(new DeadlockError())).toBe('ignored');
    expect(classifier.ofError(new Error())).toBe('failure');
  });

  describe('with on', () => {
    const classifier = new Classifier({ on: [DeadlockError, BadRequestException] });

    it('takes listed errors for failures, whatever the default is', () => {
      expect(classifier.ofError(new DeadlockError())).toBe('failure');
      expect(classifier.ofError(new BadRequestException())).toBe('failure');
      expect(new Classifier({ on: [TypeError] }).ofError(new TypeError())).toBe('failure');
    });

    it.each<[string, unknown]>([
      ['an error of unknown kind', new Error('x')],
      ['a 503', new HttpException('x', 503)],
      ['a 409', new ConflictException()],
      ['a network error', Object.assign(new Error('x'), { code: 'ECONNREFUSED' })],
      ['our own timeout', new Rejection('TIMEOUT')],
      ['a thrown value that is not an error', 'x'],
    ])('takes any other error for an answer: %s', (_what, error) => {
      expect(classifier.ofError(error)).toBe('success');
    });

    it.each<[string, unknown]>([
      ['a rejection of ours', new Rejection('CIRCUIT_OPEN')],
      ['a programmer error', new TypeError('x')],
      ['a validation error', Object.assign(new Error('x'), { name: 'ValidationError' })],
    ])('ignores the errors that the default ignores: %s', (_what, error) => {
      expect(classifier.ofError(error)).toBe('ignored');
    });

    it('adds to the default when the list contains it', () => {
      const more = new Classifier({ on: [isFailure, BadRequestException] });
      expect(more.ofError(new Error('x'))).toBe('failure');
      expect(more.ofError(new BadRequestException())).toBe('failure');
      expect(more.ofError(new ConflictException())).toBe('success');
    });

    it('has no failures when the list is empty', () => {
      const none = new Classifier({ on: [] });
      expect(none.ofError(new Error('x'))).toBe('success');
      expect(none.ofError(new TypeError('x'))).toBe('ignored');
    });
  });

  it('decides by the default without on', () => {
    const classifier = new Classifier({});
    expect(classifier.ofError(new Error('x'))).toBe('failure');
    expect(classifier.ofError(new BadRequestException())).toBe('success');
    expect(classifier.ofError(new TypeError('x'))).toBe('ignored');
  });

  it('counts any result as a success, unless onResult says otherwise', () => {
    expect(new Classifier({}).ofResult({ ok: false })).toBe('success');
    const classifier = new Classifier({ onResult: (result) => result === 'later' });
    expect(classifier.ofResult('later')).toBe('failure');
    expect(classifier.ofResult('now')).toBe('success');
  });

  it('does not ask about a stream that has begun', () => {
    const classifier = new Classifier({ onResult: () => true });
    expect(classifier.ofResult(new (class extends StreamResult {})())).toBe('success');
  });

  it('takes a predicate that throws as no match', () => {
    const options = { ignore: [throws], skip: [throws], on: [throws, Error], onResult: throws };
    const classifier = new Classifier(options);
    expect(classifier.ofError(new Error())).toBe('failure');
    expect(classifier.ofError('x')).toBe('success');
    expect(classifier.ofResult(1)).toBe('success');
  });
});

describe('readOutcomeOptions', () => {
  const reading = (given: object) => readOptions(readOutcomeOptions, given);

  it('reports values that are not lists of matchers', () => {
    const [, problems] = reading({ ignore: 'x', skip: ['x'], on: Error, onResult: true });
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'ignore',
      'skip',
      'on',
      'onResult',
    ]);
  });

  it('returns the given options', () => {
    const given = { ignore: [TypeError], skip: [RangeError], on: [Error], onResult: () => true };
    expect(reading(given)).toEqual([given, []]);
  });

  it('leaves out absent options, since an empty on differs from none', () => {
    expect(reading({})[0]).toStrictEqual({});
    expect(reading({ on: [] })[0]).toStrictEqual({ on: [] });
  });
});
