import * as fc from 'fast-check';
import { TestCall } from '../../../test/support/test-call.js';
import { settle } from '../../../test/support/wait.js';
import { ClientGoneError } from '../client-gone-error.js';
import { type IteratorHead, firstItemOf, iterate, resume } from './iterators.js';

/** Lets the test see whether it has ended. */
class EndingCall extends TestCall {
  get over(): boolean {
    return this.finished;
  }
}

/** The generator as a protected method hands it out. */
function protect(
  generator: () => AsyncGenerator<unknown, unknown>,
  call = new EndingCall(),
): AsyncGenerator<unknown, unknown> {
  return iterate(() => firstItemOf(generator(), call)) as AsyncGenerator<unknown, unknown>;
}

/** One thing that a generator does. */
type Step =
  | { readonly do: 'yield' | 'return' | 'throw'; readonly value: number }
  | { readonly do: 'try'; readonly body: Step[]; readonly caught?: Step[]; readonly last?: Step[] };

const simple = fc.record({
  do: fc.constantFrom<'yield' | 'return' | 'throw'>('yield', 'yield', 'yield', 'return', 'throw'),
  value: fc.nat(99),
});
const body = fc.array(simple, { maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  simple,
  fc.record(
    { do: fc.constant('try' as const), body, caught: body, last: body },
    { requiredKeys: ['do', 'body'] },
  ),
);

async function* play(steps: readonly Step[], heard: unknown[]): AsyncGenerator<unknown, unknown> {
  for (const each of steps) {
    if (each.do === 'yield') heard.push(yield each.value);
    else if (each.do === 'return') return each.value;
    else if (each.do === 'try') yield* playGuarded(each, heard);
    else throw new Error(String(each.value));
  }
  return undefined;
}

async function* playGuarded(
  { body, caught, last }: Extract<Step, { do: 'try' }>,
  heard: unknown[],
): AsyncGenerator<unknown, unknown> {
  try {
    return yield* play(body, heard);
  } catch (error) {
    if (caught === undefined) throw error;
    heard.push(error);
    return yield* play(caught, heard);
  } finally {
    if (last !== undefined) {
      const result = yield* play(last, heard);
      // eslint-disable-next-line no-unsafe-finally -- what generators can do, however odd
      if (result !== undefined) return result;
    }
  }
}

type Request = { readonly ask: 'next' | 'return' | 'throw'; readonly value: number };

const requests = fc.array(
  fc.record({ ask: fc.constantFrom('next', 'next', 'next', 'return', 'throw'), value: fc.nat(99) }),
  { minLength: 1, maxLength: 6 },
) as fc.Arbitrary<Request[]>;

/** The answers that the consumer gets; `together`: it does not wait for one before the next request. */
async function consume(
  generator: AsyncGenerator<unknown, unknown>,
  asked: readonly Request[],
  together: boolean,
): Promise<unknown[]> {
  const answers: Promise<unknown>[] = [];
  for (const { ask, value } of asked) {
    const answer = generator[ask](value).catch((error: unknown) => ({ error }));
    answers.push(answer);
    if (!together) await answer;
  }
  return Promise.all(answers);
}

describe('a protected generator', () => {
  it('behaves as the generator itself does, whatever its consumer asks for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 4 }),
        requests,
        fc.boolean(),
        async (steps, asked, together) => {
          const [own, native] = [[], []] as [unknown[], unknown[]];
          const seen = await consume(
            protect(() => play(steps, own)),
            asked,
            together,
          );
          const right = await consume(play(steps, native), asked, together);
          expect(seen).toEqual(right);
          expect(own).toEqual(native);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('ends its call when it has ended, however that is', async () => {
    const ends: Record<string, (items: AsyncGenerator<unknown, unknown>) => Promise<unknown>> = {
      'by itself': (items) => items.next().then(() => items.next()),
      'by its consumer': (items) => items.next().then(() => items.return(1)),
      'by an error': (items) =>
        items
          .next()
          .then(() => items.throw(1))
          .catch(() => {}),
    };
    for (const end of Object.values(ends)) {
      const call = new EndingCall();
      const items = protect(() => play([{ do: 'yield', value: 1 }], []), call);
      expect(call.over).toBe(false);
      await end(items);
      expect(call.over).toBe(true);
    }
  });

  it('rejects what its consumer waits for when the call is interrupted, and has ended then', async () => {
    const call = new EndingCall();
    call.interruptible = true;
    const ended = jest.fn();
    const items = protect(async function* () {
      try {
        yield 1;
        await new Promise(() => {});
        yield 2;
      } finally {
        ended();
      }
    }, call);
    await items.next();
    const second = items.next();
    const gone = new Error('gone');
    call.abort(gone);
    await expect(second).rejects.toBe(gone);
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
  });

  it('ends all that its consumer waits for when the call is interrupted', async () => {
    const call = new EndingCall();
    call.interruptible = true;
    const items = protect(async function* () {
      yield 1;
      await new Promise(() => {});
    }, call);
    await items.next();
    const waiting = [items.next(), items.next(), items.next()];
    const gone = new Error('gone');
    call.abort(gone);
    await expect(waiting[0]).rejects.toBe(gone);
    await expect(Promise.all(waiting.slice(1))).resolves.toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });

  it('of an attempt that was given up leaves the call alone when its first item comes late', async () => {
    const call = new EndingCall();
    call.interruptible = true;
    let arrive!: (item: IteratorResult<number>) => void;
    const ended = jest.fn(async () => ({ value: undefined, done: true as const }));
    const slow = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>((resolve) => (arrive = resolve)),
        return: ended,
      }),
    };
    const first = firstItemOf(slow, call);
    call.interrupt(1, new Error('too slow'));
    call.resumeAt(1);
    const stoppable = { stop: jest.fn() };
    call.stoppable = stoppable; // of the next attempt
    arrive({ value: 1, done: false });
    await first;
    expect(call.stoppable).toBe(stoppable);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('does nothing when it is ended before it has begun', async () => {
    const begin = jest.fn();
    const items = iterate(begin) as AsyncGenerator<unknown, unknown>;
    await expect(items.return(7)).resolves.toEqual({ value: 7, done: true });
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    expect(begin).not.toHaveBeenCalled();
  });

  it.each([
    ['a list', [1, 2], [1, 2]],
    ['a generator', play([{ do: 'yield', value: 1 }], []), [1]],
    ['a value', 7, [7]],
    ['an object', { id: 7 }, [{ id: 7 }]],
    ['null', null, [null]],
  ])('gives the items of what has answered in its place: %s', async (_, answer, expected) => {
    const items: unknown[] = [];
    for await (const item of iterate(() => Promise.resolve(answer))) items.push(item);
    expect(items).toEqual(expected);
  });

  it('looks like a generator, and is ended by `await using`', async () => {
    const ended = jest.fn();
    const items = protect(async function* () {
      try {
        yield 1;
      } finally {
        ended();
      }
    });
    expect(Object.prototype.toString.call(items)).toBe('[object AsyncGenerator]');
    expect(items[Symbol.asyncIterator]()).toBe(items);
    await items.next();
    await items[Symbol.asyncDispose]();
    expect(ended).toHaveBeenCalledTimes(1);
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
  });

  it('fails with what keeps it from its first item, and has ended then', async () => {
    const items = iterate(() => Promise.reject(new Error('down'))) as AsyncGenerator<unknown>;
    await expect(items.next()).rejects.toThrow('down');
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    await expect(items.return(7)).resolves.toEqual({ value: 7, done: true });
    await expect(items.throw(new Error('thrown in'))).rejects.toThrow('thrown in');
  });

  it('rejects what is thrown into it before it has begun', async () => {
    const begin = jest.fn();
    const items = iterate(begin) as AsyncGenerator<unknown>;
    await expect(items.throw(new Error('thrown in'))).rejects.toThrow('thrown in');
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    expect(begin).not.toHaveBeenCalled();
  });

  it('drops the values that an interrupted consumer did not wait for', async () => {
    const call = new EndingCall();
    call.interruptible = true;
    const items = protect(async function* () {
      yield 1;
      yield 2;
    }, call);
    await items.next();
    call.abort(new Error('gone'));
    await settle();
    expect(call.over).toBe(true);
    await expect(items.next()).rejects.toThrow('gone');
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
  });
});

describe('an iterator that is not a generator', () => {
  /** Counts up from 1; has no `return()` and no `throw()`. */
  function counting(more: object = {}): AsyncIterable<number> {
    let value = 0;
    const next = async () => ({ value: (value += 1), done: false as const });
    return { [Symbol.asyncIterator]: () => ({ next, ...more }) };
  }

  const protectIt = (source: AsyncIterable<number>, call = new EndingCall()) =>
    iterate(() => firstItemOf(source, call)) as AsyncGenerator<number>;

  it('ends all the same', async () => {
    const call = new EndingCall();
    const items = protectIt(counting(), call);
    await expect(items.next()).resolves.toEqual({ value: 1, done: false });
    await expect(items.return(7)).resolves.toEqual({ value: 7, done: true });
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    expect(call.over).toBe(true);
  });

  it('rejects what is thrown into it, and has ended then', async () => {
    const call = new EndingCall();
    const items = protectIt(counting(), call);
    await items.next();
    await expect(items.throw(new Error('thrown in'))).rejects.toThrow('thrown in');
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    expect(call.over).toBe(true);
  });

  it.each([
    ['has no return()', {}],
    ['throws from it', { return: () => Promise.reject(new Error('not now')) }],
  ])('is let go quietly by an interruption when it %s', async (_, more) => {
    for (const begun of [true, false]) {
      const call = new EndingCall();
      call.interruptible = true;
      const first = firstItemOf(counting(more), call);
      if (begun) await first;
      call.abort(new Error('gone'));
      await settle();
      expect(call.over).toBe(begun);
      if (!begun) await expect(first).resolves.toBeUndefined();
    }
  });

  it('just ends for a handler whose client has gone, but not for a method that is told so by a handler', async () => {
    const gone = new ClientGoneError('Books.list');
    const breaking = async function* () {
      yield 1;
      throw gone;
    };
    const head = await firstItemOf(breaking(), new EndingCall());
    const items = resume(head as IteratorHead, (error) => error);
    await items.next();
    await expect(items.next()).resolves.toEqual({ value: undefined, done: true });
    const ofMethod = protect(breaking);
    await ofMethod.next();
    await expect(ofMethod.next()).rejects.toBe(gone);
  });

  it('cannot be kept in a cache', async () => {
    expect(JSON.stringify(await firstItemOf(counting(), new EndingCall()))).toBeUndefined();
  });

  it('is a success of its attempt with its first item', async () => {
    const call = new EndingCall();
    call.succeed(await firstItemOf(counting(), call));
    expect(call.streaming).toBe(true);
  });
});
