import { Injectable } from '@nestjs/common';
import { EMPTY, Observable, Subject, firstValueFrom, of as just, throwError } from 'rxjs';
import { Bulkhead, Signal } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { counts, full, begin } from './support/bulkhead-calls.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('an Observable in a bulkhead', () => {
  @Injectable()
  class S {
    @Bulkhead({ name: 'streams', maxConcurrent: 1, maxQueue: 1 })
    stream(source: Observable<number>): Observable<number> {
      return source;
    }
  }

  async function set(): Promise<{
    service: S;
    now: () => [number, number, number];
  }> {
    const { app } = await boot({ providers: [S] });
    return { service: app.get(S), now: () => counts(app, 'streams') };
  }

  it('takes no place before it is subscribed to, and one per subscription', async () => {
    const { service, now } = await set();
    const stream = service.stream(new Subject());
    expect(now()).toEqual([0, 0, 0]);
    const subscriptions = [stream.subscribe(), stream.subscribe()];
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    await expect(firstValueFrom(stream)).rejects.toMatchObject(full);
    for (const subscription of subscriptions) subscription.unsubscribe();
  });

  it.each<[string, (source: Subject<number>) => void]>([
    ['completes', (source) => source.complete()],
    ['fails', (source) => source.error(new Error('down'))],
  ])('has its place until it %s', async (_how, end) => {
    const { service, now } = await set();
    const source = new Subject<number>();
    const seen: unknown[] = [];
    service.stream(source).subscribe({ next: (item) => seen.push(item), error: () => {} });
    expect(now()).toEqual([1, 0, 0]);
    for (const item of [1, 2]) {
      source.next(item);
      await settle();
      expect(now()).toEqual([1, 0, 0]);
    }
    end(source);
    await settle();
    expect(seen).toEqual([1, 2]);
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each<[string, Observable<number>]>([
    ['has a single item', just(1)],
    ['has two at once', just(1, 2)],
    ['is empty', EMPTY],
    ['fails at once', throwError(() => new Error('down'))],
  ])('keeps no place when it %s', async (_how, source) => {
    const { service, now } = await set();
    service.stream(source).subscribe({ error: () => {} });
    await settle();
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([
    ['before its first item', 0],
    ['after it', 1],
  ])('has it until it is left, %s', async (_when, items) => {
    const { service, now } = await set();
    let open = 0;
    const source = new Observable<number>((subscriber) => {
      open += 1;
      for (let i = 0; i < items; i++) subscriber.next(i);
      return () => (open -= 1);
    });
    const subscription = service.stream(source).subscribe();
    await settle();
    expect([open, ...now()]).toEqual([1, 1, 0, 0]);
    subscription.unsubscribe();
    await settle();
    expect([open, ...now()]).toEqual([0, 0, 0, 0]);
  });

  it('leaves the queue when it is left there, and is then never subscribed to', async () => {
    const { service, now } = await set();
    const source = new Subject<number>();
    service.stream(source).subscribe();
    let subscribed = false;
    const waiting = service.stream(new Observable(() => void (subscribed = true))).subscribe();
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    waiting.unsubscribe();
    await settle();
    expect(now()).toEqual([1, 0, 0]);
    source.complete();
    await settle();
    expect(subscribed).toBe(false);
    expect(now()).toEqual([0, 0, 0]);
  });

  it('is subscribed to when a place becomes free', async () => {
    const { service, now } = await set();
    const [first, second] = [new Subject<number>(), new Subject<number>()];
    service.stream(first).subscribe();
    const seen: number[] = [];
    service.stream(second).subscribe((item) => seen.push(item));
    second.next(1); // no subscriber yet
    first.next(1);
    await settle();
    expect(second.observed).toBe(false);
    first.complete();
    await settle();
    second.next(2);
    await settle();
    expect(seen).toEqual([2]);
    second.complete();
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([
    ['completes', (source: Subject<number>) => source.complete()],
    ['is left', (_: unknown, leave: () => void) => leave()],
  ])('gives its place back even if its teardown throws when it %s', async (_how, end) => {
    const { service, now } = await set();
    const source = new Subject<number>();
    const throwing = new Observable<number>((subscriber) => {
      subscriber.add(source.subscribe(subscriber));
      return () => {
        throw new Error('teardown');
      };
    });
    const subscription = service.stream(throwing).subscribe();
    source.next(1);
    await settle();
    expect(now()).toEqual([1, 0, 0]);
    await outcome((async () => end(source, () => subscription.unsubscribe()))());
    await settle();
    expect(now()).toEqual([0, 0, 0]);
  });
});

describe('an async generator in a bulkhead', () => {
  @Injectable()
  class S {
    readonly ended: string[] = [];

    @Bulkhead({ name: 'items', maxConcurrent: 1, maxQueue: 1 })
    async *items(failAt = Infinity, @Signal() _signal?: AbortSignal): AsyncGenerator<number> {
      try {
        for (let i = 0; i < 3; i++) {
          if (i === failAt) throw new Error('midway');
          yield i;
        }
      } finally {
        this.ended.push('items');
      }
    }

    @Bulkhead({ name: 'endless', maxConcurrent: 1 })
    async *endless(@Signal() signal?: AbortSignal): AsyncGenerator<number> {
      yield 1;
      await new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }

    @Bulkhead({ name: 'untidy', maxConcurrent: 1 })
    async *untidy(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        await Promise.reject(new Error('cleaning up'));
      }
    }
  }

  async function set(): Promise<{ service: S; now: (name?: string) => [number, number, number] }> {
    const { app } = await boot({ providers: [S] });
    return { service: app.get(S), now: (name = 'items') => counts(app, name) };
  }

  it('takes no place before its first item is asked for', async () => {
    const { service, now } = await set();
    const items = service.items();
    await settle();
    expect(now()).toEqual([0, 0, 0]);
    await items.next();
    expect(now()).toEqual([1, 0, 0]);
  });

  it('has its place until its end', async () => {
    const { service, now } = await set();
    const seen: number[] = [];
    for await (const item of service.items()) {
      seen.push(item);
      expect(now()).toEqual([1, 0, 0]);
    }
    expect(seen).toEqual([0, 1, 2]);
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([0, 1])('has it until it fails, after %i items', async (failAt) => {
    const { service, now } = await set();
    const items = service.items(failAt);
    for (let i = 0; i < failAt; i++) await items.next();
    await expect(items.next()).rejects.toThrow('midway');
    expect(now()).toEqual([0, 0, 0]);
  });

  it('has it until its consumer stops early', async () => {
    const { service, now } = await set();
    for await (const item of service.items()) {
      expect(now()).toEqual([1, 0, 0]);
      if (item === 1) break;
    }
    expect(service.ended).toEqual(['items']);
    expect(now()).toEqual([0, 0, 0]);
  });

  it('has it until its consumer throws into it', async () => {
    const { service, now } = await set();
    const items = service.items();
    await items.next();
    await expect(items.throw(new Error('no more'))).rejects.toThrow('no more');
    expect(now()).toEqual([0, 0, 0]);
  });

  it('gives its place back when a signal has stopped it in the middle of an item', async () => {
    const { service, now } = await set();
    const controller = new AbortController();
    const items = service.endless(controller.signal);
    await items.next();
    const second = begin(items.next());
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await second).error).toBe(reason);
    expect(now('endless')).toEqual([0, 0, 0]);
  });

  it('begins when a place becomes free', async () => {
    const { service, now } = await set();
    const first = service.items();
    await first.next();
    const waiting = service.items().next();
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    await expect(service.items().next()).rejects.toMatchObject(full);
    await first.return(undefined);
    await expect(waiting).resolves.toEqual({ done: false, value: 0 });
    expect(now()).toEqual([1, 0, 1]);
  });

  it('gives its place back even if its clean-up fails at the end', async () => {
    const { service, now } = await set();
    const items = service.untidy();
    for (let i = 0; i < 2; i++) await items.next();
    await expect(items.next()).rejects.toThrow('cleaning up');
    expect(now('untidy')).toEqual([0, 0, 0]);
  });

  it('gives its place back even if its clean-up fails when its consumer stops early', async () => {
    const { service, now } = await set();
    const items = service.untidy();
    await items.next();
    await expect(items.return(undefined)).rejects.toThrow('cleaning up');
    expect(now('untidy')).toEqual([0, 0, 0]);
  });

  it('that is stopped by a signal gives its place back without a further request', async () => {
    const { service, now } = await set();
    const controller = new AbortController();
    const items = service.items(Infinity, controller.signal);
    await items.next();
    controller.abort(new Error('gone'));
    await settle();
    expect(service.ended).toEqual(['items']);
    expect(now()).toEqual([0, 0, 0]);
  });
});
