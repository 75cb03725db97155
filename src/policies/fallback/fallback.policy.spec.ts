import { Harness, down, failing, problemsOf } from '../../../test/support/fallback-stage.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import { Liveness } from '../../pipeline/liveness.js';
import { ManualClock } from '../../testing/index.js';
import { settle } from '../../../test/support/wait.js';
import type { PolicySite } from '../policy.js';
import { type Answer, NO_ANSWER } from './answer.js';
import { readAnswer } from './answers.js';
import { withCause } from './cause.js';
import { fallbackPolicy } from './fallback.policy.js';
import { FallbackStage } from './fallback-stage.js';
import { fallbackValue, isValue } from './handler.js';
import { type FallbackSettings, toFallbackOptions } from './options.js';
import { StaleCache } from './stale-cache.js';
import { isStale, staleIfError } from './stale-if-error.js';

const settingsOf = (answers: Partial<Answer>[], maxConcurrent = Infinity): FallbackSettings => ({
  choices: answers.map((answer) => ({ on: undefined, answer: answer as Answer })),
  classifier: new Classifier({ on: [() => true] }),
  maxConcurrent,
});

const plain: Partial<Answer> = { label: 'plain', answer: () => 'instead' };

describe('the policy of fallbacks', () => {
  it('applies to a method or a command', () => {
    expect(fallbackPolicy.boundToSubject).toBe(true);
  });

  it('has a part of its own if one of its answers keeps results', () => {
    const keeping: Partial<Answer> = { ...plain, storesResults: true };
    expect(fallbackPolicy.part!(settingsOf([plain]))).toBeUndefined();
    expect(fallbackPolicy.part!(settingsOf([plain, keeping], 7))).toEqual({
      name: undefined,
      private: true,
      settings: undefined,
      shape: { maxConcurrent: 7 },
    });
  });

  it('refuses another definition of a command if one of its answers needs a key', () => {
    const needing: Partial<Answer> = { ...plain, needsKey: true };
    const check = fallbackPolicy.checkDefinedAgain!;
    expect(check(settingsOf([plain]), 'it is defined twice')).toBeUndefined();
    expect(check(settingsOf([plain, needing]), 'it is defined twice')).toBe(
      "staleIfError needs a key: it is defined twice. Without one, a caller could get another definition's data",
    );
  });

  it('shows the limit of concurrent fallbacks, if there is one', () => {
    const snapshot = fallbackPolicy.snapshot!;
    expect(snapshot(settingsOf([plain], 3), undefined)).toEqual({ maxConcurrentFallbacks: 3 });
    expect(snapshot(settingsOf([plain]), undefined)).toEqual({ maxConcurrentFallbacks: undefined });
  });
});

describe('the stage of a fallback', () => {
  const site = { name: 'Books.list', events: { active: () => false } } as unknown as PolicySite;

  it('has results watched if one of its answers keeps them', () => {
    const keeping: Partial<Answer> = { ...plain, store: () => {} };
    expect(new FallbackStage(settingsOf([plain]), site).keepsResults).toBe(false);
    expect(new FallbackStage(settingsOf([plain, keeping]), site).keepsResults).toBe(true);
  });

  it('keeps only live results', () => {
    const store = jest.fn();
    const stage = new FallbackStage(settingsOf([{ ...plain, store }]), site);
    const harness = new Harness({ handler: fallbackValue(1) });
    const [live, watched, rejected, answered, made] = Array.from({ length: 5 }, () => {
      const each = harness.call(failing);
      each.succeed('books');
      return each;
    });
    watched!.liveness = new Liveness();
    rejected!.resultRejected = true;
    answered!.source = 'fallback';
    made!.liveness = new Liveness();
    made!.liveness.tell('stale', 1);
    for (const each of [live, watched, rejected, answered, made]) void stage.react(each!);
    expect(store.mock.calls).toEqual([[live], [watched]]);
  });

  it('reports a failure only while the call waits for it', async () => {
    for (const [late, events] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const emit = jest.fn();
      const own = {
        name: 'Books.list',
        events: { active: () => true, emit },
      } as unknown as PolicySite;
      const call = new Harness({ handler: fallbackValue(1) }).call(failing);
      call.fail(down);
      const answer = (): never => {
        if (late) call.waitsEnded += 1;
        throw down;
      };
      const stage = new FallbackStage(settingsOf([{ label: 'plain', answer }]), own);
      await expect(stage.react(call)).rejects.toBe(down);
      expect(emit).toHaveBeenCalledTimes(events);
    }
  });

  it('leaves the call its error when it finds no answer', async () => {
    const stage = new FallbackStage(settingsOf([{ ...plain, answer: () => NO_ANSWER }]), site);
    const own = new Harness({ handler: fallbackValue(1) }).call(failing);
    own.fail(down);
    await stage.react(own);
    expect(own).toMatchObject({ failed: true, error: down, answered: { by: 'failure' } });
  });
});

describe('the answer of a fallback', () => {
  it('has the source fallback and the name of its function', async () => {
    function former(): string {
      return 'former';
    }
    for (const [handler, label] of [
      [former, 'former'],
      [
        (
          () => () =>
            'former'
        )(),
        'function',
      ],
      [fallbackValue('former'), 'value'],
    ] as const) {
      const harness = new Harness({ handler });
      const call = harness.call(failing);
      await expect(harness.start(call)).resolves.toBe('former');
      expect(call.source).toBe('fallback');
      expect(harness.fallbackEvents).toMatchObject([{ handler: label, outcome: 'success' }]);
    }
  });

  it('is known not to be live while it is made', async () => {
    const liveness = new Liveness();
    const handler = (): string => liveness.source;
    const harness = new Harness({ handler });
    await expect(liveness.watch(() => harness.run())).resolves.toBe('fallback');
  });

  it('may come from methods whose own fallbacks form a circle without this one', () => {
    class Books {
      list(): void {}
      first(): void {}
      second(): void {}
    }
    const problemsWith = (fallbacks: Record<string, string>): readonly string[] => {
      const problems = new Problems();
      const site = {
        method: { name: 'list', owner: Books, target: Books.prototype, arity: 0 },
        optionsOf: (method: string) => ({ handler: fallbacks[method] }),
      } as unknown as PolicySite;
      readAnswer('first', new OptionsReader({}, 'here', problems), site);
      return problems.all;
    };
    expect(problemsWith({ first: 'second', second: 'first' })).toEqual([]);
    expect(problemsWith({ first: 'second' })).toEqual([]);
    expect(problemsWith({ first: 'second', second: 'list' })).toEqual([
      `here: handler is 'first'; use a method whose own fallback does not lead back to this one`,
    ]);
  });

  it('is a value only with a value', () => {
    expect(isValue(fallbackValue(undefined))).toBe(true);
    expect(isValue({ kind: 'value' })).toBe(false);
    expect(isValue({ kind: 'other', value: 1 })).toBe(false);
    expect(toFallbackOptions(null as never)).toEqual({ handler: null });
    expect(fallbackValue(1)).toEqual({ kind: 'value', value: 1 });
    expect(problemsOf({ handler: null })).toEqual([expect.stringContaining('handler is null')]);
  });
});

describe('staleIfError()', () => {
  it('is recognized by its kind and its options', () => {
    const options = { ttl: '10m' } as const;
    expect(staleIfError(options)).toEqual({ kind: 'staleIfError', options });
    expect(isStale(staleIfError(options))).toBe(true);
    for (const other of [{ kind: 'staleIfError' }, { options }, { kind: 'value', options }]) {
      expect(isStale(other)).toBe(false);
    }
  });

  it('keeps and gives nothing without a cache, or with a foreign cache entry', async () => {
    const errors: unknown[] = [];
    const caches = [undefined, { json: 5, storedAt: 0 }, { json: '5', storedAt: '0' }, 'none'].map(
      (entry) => {
        const cache =
          entry === undefined ? undefined : { get: async () => entry, set: async () => undefined };
        const times = { ttl: Infinity, readTimeout: 250, writeTimeout: 1_000 };
        const clock = new ManualClock();
        return new StaleCache(
          () => cache,
          times,
          clock,
          (_operation, error) => errors.push(error),
        );
      },
    );
    for (const cache of caches) {
      cache.store('k', undefined);
      await settle();
      const call = new Harness({ handler: fallbackValue(1) }).call(failing);
      await expect(cache.find('k', call)).resolves.toBeUndefined();
    }
    expect(errors).toEqual([]);
  });
});

describe('the cause of an error', () => {
  const chain = (length: number): Error => {
    let error = new Error('first');
    for (let i = 1; i < length; i++) error = new Error('next', { cause: error });
    return error;
  };

  it('is set at the end of a chain of up to a hundred', () => {
    const [short, long] = [chain(99), chain(100)];
    expect(withCause(new Error('own'), short)).toHaveProperty('cause', short);
    expect(withCause(new Error('own'), long)).not.toHaveProperty('cause');
  });

  it('is set on errors only', () => {
    const thrown = { message: 'down' };
    expect(withCause(thrown, down)).toBe(thrown);
    expect('cause' in thrown).toBe(false);
  });

  it('may be any thrown value', () => {
    for (const original of ['down', null, undefined, 7]) {
      expect(withCause(new Error('own'), original)).toHaveProperty('cause', original);
    }
  });
});
