import { AsyncLocalStorage } from 'node:async_hooks';
import { EMPTY, NEVER, Observable, Subject, concat, of as just, throwError } from 'rxjs';
import { TestCall } from '../../../test/support/test-call.js';
import { deferred, outcome, settle } from '../../../test/support/wait.js';
import type { Call } from '../../pipeline/call.js';
import { type Waiter, tell } from '../../pipeline/waiter.js';
import { asStream, firstOf, isObservableResult, isStream } from './streams.js';

/** Lets the test see whether it has ended. */
class EndingCall extends TestCall {
  get over(): boolean {
    return this.finished;
  }
}

/** Runs a call whose outcome is that of `work`. */
const endingWith =
  (work: () => PromiseLike<unknown>) =>
  (_: Call, waiter: Waiter): void =>
    tell(waiter, work());

/** The stream of a method without policies, and what its subscriber has seen. */
function watch(source: Observable<unknown>, call = new EndingCall()) {
  const seen: unknown[] = [];
  const stream = asStream(
    () => call,
    endingWith(() => firstOf(source, call)),
  );
  const subscription = stream.subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push({ error }),
    complete: () => seen.push('complete'),
  });
  return { seen, subscription, call };
}

/** A proxy that throws at each look at it. */
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('a protected stream', () => {
  it('gives its subscriber all that the source gives', async () => {
    const { seen } = watch(just(1, 2, 3));
    await settle();
    expect(seen).toEqual([1, 2, 3, 'complete']);
  });

  it('gives an only item, and then ends', async () => {
    const { seen } = watch(just(undefined));
    await settle();
    expect(seen).toEqual([undefined, 'complete']);
  });

  it('that is empty ends without an item', async () => {
    const { seen } = watch(EMPTY);
    await settle();
    expect(seen).toEqual(['complete']);
  });

  it('gives what comes before its subscriber is served, and what comes later', async () => {
    const source = new Subject<number>();
    const { seen } = watch(source);
    source.next(1);
    source.next(2);
    await settle();
    expect(seen).toEqual([1, 2]);
    source.next(3);
    source.complete();
    expect(seen).toEqual([1, 2, 3, 'complete']);
  });

  it('fails with the error that comes instead of a first item', async () => {
    const { seen } = watch(throwError(() => 'down'));
    await settle();
    expect(seen).toEqual([{ error: 'down' }]);
  });

  it('gives its items before the error that ends it, also when all come at once', async () => {
    const { seen } = watch(
      concat(
        just(1),
        throwError(() => 'midway'),
      ),
    );
    await settle();
    expect(seen).toEqual([1, { error: 'midway' }]);
  });

  it('is a success of its attempt with its first item, whatever comes then', async () => {
    const call = new TestCall();
    const head = (await firstOf(concat(just(1), NEVER), call)) as object;
    call.succeed(head);
    expect(call.streaming).toBe(true);
    call.succeed(await firstOf(just(7), call));
    expect(call).toMatchObject({ streaming: false, value: 7 });
  });

  it('cannot be kept in a cache', async () => {
    const head = await firstOf(concat(just(1), NEVER), new TestCall());
    expect(JSON.stringify(head)).toBeUndefined();
  });

  it('passes on the items of an Observable that has answered in its place', async () => {
    const call = new EndingCall();
    const source = new Subject<number>();
    const seen: unknown[] = [];
    const subscription = asStream(
      () => call,
      endingWith(() => Promise.resolve(source)),
    ).subscribe((value) => seen.push(value));
    await settle();
    source.next(1);
    expect(seen).toEqual([1]);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('passes on a value that has answered in its place', async () => {
    for (const answer of [null, undefined, 7]) {
      const seen: unknown[] = [];
      asStream(
        () => new EndingCall(),
        endingWith(() => Promise.resolve(answer)),
      ).subscribe({ next: (value) => seen.push(value), complete: () => seen.push('complete') });
      await settle();
      expect(seen).toEqual([answer, 'complete']);
    }
  });

  it('whose first item came at once ends with its subscriber, or by an interruption', async () => {
    let open = 0;
    const endless = new Observable<number>((subscriber) => {
      open += 1;
      subscriber.next(1);
      return () => (open -= 1);
    });
    const left = watch(endless);
    const interrupted = watch(endless);
    await settle();
    expect(open).toBe(2);
    left.subscription.unsubscribe();
    expect(open).toBe(1);
    interrupted.call.abort('gone');
    expect(open).toBe(0);
    expect(interrupted.seen).toEqual([1, { error: 'gone' }]);
  });

  it('tells its signal that its subscriber has left', () => {
    const { call, subscription } = watch(NEVER);
    subscription.unsubscribe();
    expect(call.signal).toMatchObject({ aborted: true, reason: { message: 'unsubscribed' } });
  });

  it('ends its call when its subscriber leaves, and when the source ends', async () => {
    const left = watch(concat(just(1), NEVER));
    await settle();
    expect(left.call.over).toBe(false);
    left.subscription.unsubscribe();
    expect(left.call.over).toBe(true);

    const ended = watch(just(1, 2));
    await settle();
    expect(ended.call.over).toBe(true);
  });
});

describe('an interruption of a protected stream', () => {
  it('after its first item unsubscribes it, and its subscriber gets the error', async () => {
    const source = new Subject<number>();
    const { seen, call } = watch(source);
    source.next(1);
    await settle();
    call.abort('gone');
    expect(source.observed).toBe(false);
    expect(seen).toEqual([1, { error: 'gone' }]);
  });

  it('before its first item unsubscribes it, and fails the attempt', async () => {
    const call = new TestCall();
    call.interruptible = true;
    const source = new Subject<number>();
    const first = outcome(Promise.resolve(firstOf(source, call)));
    call.abort('gone');
    expect(source.observed).toBe(false);
    expect(await first).toEqual({ error: 'gone' });
  });

  it.each([
    [
      'its result',
      (work: ReturnType<typeof deferred<string>>) => work.resolve('late'),
      { value: 'late' },
    ],
    [
      'its error',
      (work: ReturnType<typeof deferred<string>>) => work.reject('late'),
      { error: 'late' },
    ],
  ])('leaves work behind it whose end is known by %s', async (_, end, expected) => {
    const call = new TestCall();
    call.interruptible = true;
    const work = deferred<string>();
    let value: unknown;
    const first = outcome(Promise.resolve(firstOf(NEVER, call)));
    call.track(work.promise.then((result) => void (value = result)));
    call.abort('gone');
    end(work);
    const seen = await first;
    expect(seen).toEqual('error' in expected ? expected : {});
    expect(value).toBe('value' in expected ? expected.value : undefined);
  });

  it('runs its teardown in the context in which it was subscribed to', async () => {
    const context = new AsyncLocalStorage<string>();
    const torn: unknown[] = [];
    const waiting = new Observable<number>(() => () => torn.push(context.getStore()));
    const begun = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => torn.push(context.getStore());
    });
    for (const source of [waiting, begun]) {
      const { call } = context.run('own', () => watch(source));
      await settle();
      context.run('other', () => call.abort('gone'));
    }
    expect(torn).toEqual(['own', 'own']);
  });
});

describe('a stream is', () => {
  it.each([
    ['an Observable', just(1), true],
    ['an async generator', (async function* () {})(), true],
    ['no promise', Promise.resolve(1), false],
    ['no list', [1], false],
    ['no function', Object.assign(() => {}, { [Symbol.asyncIterator]: () => {} }), false],
    ['not null', null, false],
    ['no text', 'text', false],
    ['nothing that refuses to answer', revoked(), false],
  ])('%s', (_, value, expected) => {
    expect(isStream(value)).toBe(expected);
  });
});

describe('an Observable is', () => {
  it.each([
    ['one of RxJS', just(1), true],
    ['no emitter with subscribe()', { subscribe: () => {} }, false],
    ['nothing that only has lift()', { lift: () => {} }, false],
    ['no mock that has everything', new Proxy({}, { get: () => () => {} }), false],
    ['nothing that refuses to answer', revoked(), false],
    ['not null', null, false],
    ['nothing', undefined, false],
    ['no function', Object.assign(() => {}, { subscribe: () => {}, lift: () => {} }), false],
  ])('%s', (_, value, expected) => {
    expect(isObservableResult(value)).toBe(expected);
  });
});
