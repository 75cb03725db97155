import { of as just } from 'rxjs';
import { ManualClock } from '../testing/index.js';
import type { CallContext } from './call-context.js';
import { FunctionCall } from './function-call.js';

const clock = new ManualClock();
const self = { name: 'self' };

const callOf = (work: (...args: never[]) => unknown, ...args: unknown[]): FunctionCall =>
  new FunctionCall('books', self, work as never, args, clock, undefined);

describe('a call of a function', () => {
  it.each([[[]], [[1]], [[1, undefined]], [[undefined, {}, []]]])(
    'passes this, a context and the given arguments: %p',
    (args: readonly unknown[]) => {
      let seen: unknown[] = [];
      callOf(
        function (this: unknown, ...given: unknown[]) {
          seen = [this, ...given];
        },
        ...args,
      ).start();
      const [that, context, ...given] = seen;
      expect(that).toBe(self);
      expect((context as CallContext).name).toBe('books');
      expect(given).toEqual(args);
      expect(given).toHaveLength(args.length);
    },
  );

  it('gives each attempt a context of its own', () => {
    const seen: number[] = [];
    const call = callOf(({ attempt }: CallContext) => seen.push(attempt));
    call.start();
    call.attempt = 2;
    call.start();
    expect(seen).toEqual([1, 2]);
  });

  it('keeps the context of an attempt while another one runs', () => {
    const contexts: CallContext[] = [];
    const call = callOf((given: CallContext) => contexts.push(given));
    call.interruptible = true;
    call.start();
    call.interrupt(0, 'first');
    call.resumeAt(0);
    call.attempt = 2;
    call.start();
    const [first, second] = contexts as [CallContext, CallContext];
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    expect(first.signal).toMatchObject({ aborted: true, reason: 'first' });
    expect(second.signal.aborted).toBe(false);
    call.interrupt(0, 'second');
    expect(second.signal).toMatchObject({ aborted: true, reason: 'second' });
    expect(first.signal.reason).toBe('first');
  });

  it('returns the result', () => {
    for (const result of [1, undefined, null, Promise.resolve(1), [], { a: 1 }]) {
      expect(callOf(() => result).start()).toBe(result);
    }
  });

  it('reads then of a promise-like result only once', async () => {
    let asked = 0;
    const query = {
      then: (resolve: (rows: number) => void) => {
        asked += 1;
        resolve(7);
      },
    };
    const result = callOf(() => query).start() as Promise<number>;
    await expect(Promise.all([result, result])).resolves.toEqual([7, 7]);
    expect(asked).toBe(1);
  });

  it('refuses a stream', () => {
    async function* items(): AsyncGenerator<number> {}
    expect(() => callOf(() => just(1)).start()).toThrow('books returned a stream');
    expect(() => callOf(() => items()).start()).toThrow('books returned a stream');
  });

  it('calls a substitute with the same this and arguments', () => {
    const call = callOf(() => 1, 'sea', 2);
    expect(call.substitute((that, args) => [that, args], 'fallback')).toEqual([self, ['sea', 2]]);
  });

  it('has one signal per attempt, created on first access', () => {
    let made = 0;
    const { AbortController } = globalThis;
    globalThis.AbortController = class extends AbortController {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      let context: CallContext | undefined;
      const call = callOf((given: CallContext) => (context = given));
      call.start();
      expect(made).toBe(0);
      expect(context!.signal).toBe(context!.signal);
      expect(made).toBe(1);
      call.abort('why');
      expect(context!.signal).toMatchObject({ aborted: true, reason: 'why' });
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = AbortController;
    }
  });
});
