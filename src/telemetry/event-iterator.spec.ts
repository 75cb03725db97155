import { from } from 'rxjs';
import { map } from 'rxjs/operators';
import { Remembered } from '../../test/support/let-go.js';
import { settled } from '../../test/support/stages.js';
import type { EventIterator } from './event-iterator.js';
import type { ResilienceEvent } from './events.js';
import { ResilienceEvents } from './resilience-events.js';

const event = (name: string): ResilienceEvent => ({ type: 'override', name, override: undefined });

async function namesOf(iterator: AsyncIterable<ResilienceEvent>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of iterator) names.push(name);
  return names;
}

describe('an iterator of events', () => {
  it('gives all events in their order, and ends when the application closes', async () => {
    const events = new ResilienceEvents();
    const names = namesOf(events);
    for (const name of ['a', 'b', 'c']) events.emit(event(name));
    events.close();
    await expect(names).resolves.toEqual(['a', 'b', 'c']);
    expect(events.active('override')).toBe(false);
    await expect(namesOf(events)).resolves.toEqual([]);
  });

  it('drops the oldest events when its consumer is slow, and counts them', async () => {
    const events = new ResilienceEvents();
    const iterator = events.iterate({ bufferSize: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) events.emit(event(name));
    expect(iterator.dropped).toBe(3);
    await expect(iterator.next()).resolves.toMatchObject({ value: { name: 'd' } });
    events.emit(event('f'));
    events.close();
    await expect(namesOf(iterator)).resolves.toEqual(['e', 'f']);
    expect(iterator.dropped).toBe(3);
  });

  it('answers several requests in order, and pending ones when it ends', async () => {
    const events = new ResilienceEvents();
    const iterator = events.iterate();
    const items = [iterator.next(), iterator.next(), iterator.next()];
    events.emit(event('a'));
    events.emit(event('b'));
    await iterator.return();
    const found = await Promise.all(items);
    expect(found.map(({ value }) => value?.name)).toEqual(['a', 'b', undefined]);
  });

  it('stops listening once its loop has been left', async () => {
    const events = new ResilienceEvents();
    const iterator = events.iterate();
    events.emit(event('a'));
    events.emit(event('b'));
    for await (const { name } of iterator) {
      expect(name).toBe('a');
      break;
    }
    expect(events.active('override')).toBe(false);
    await expect(iterator.next()).resolves.toEqual({ value: undefined, done: true });
    await expect(iterator.throw(new Error('x'))).rejects.toThrow('x');
  });

  it('is collected when it is no longer referenced, and costs nothing from then on', async () => {
    const events = new ResilienceEvents();
    const seen = new Remembered();
    (() => {
      for (let i = 0; i < 20; i++) seen.add(events.iterate());
    })();
    events.emit(event('a'));
    expect(await seen.left(1)).toBeLessThanOrEqual(1);
  });

  it('is kept while a consumer waits for an event', async () => {
    const events = new ResilienceEvents();
    const names = (() => namesOf(events))();
    await new Remembered().left(0);
    events.emit(event('a'));
    events.close();
    await expect(names).resolves.toEqual(['a']);
  });

  it.each([0, -1, 1.5, NaN, Infinity, '5'])('refuses the buffer size %p', (bufferSize) => {
    const iterate = (): EventIterator =>
      new ResilienceEvents().iterate({ bufferSize: bufferSize as number });
    expect(iterate).toThrow(/bufferSize is .*; use a whole number of at least 1/);
  });
});

describe('the Observable of events', () => {
  it('gives all events, and completes when the application closes', () => {
    const events = new ResilienceEvents();
    const heard: string[] = [];
    for (const source of [events.asObservable(), from(events)]) {
      source.subscribe({ next: ({ name }) => heard.push(name), complete: () => heard.push('end') });
    }
    events.emit(event('a'));
    events.close();
    expect(heard).toEqual(['a', 'a', 'end', 'end']);
    expect(events.active('override')).toBe(false);
  });

  it('contains errors of subscribers and operators', async () => {
    const errors: unknown[] = [];
    const events = new ResilienceEvents((error) => void errors.push(error));
    const fail = (): never => {
      throw new Error('x');
    };
    events.asObservable().subscribe(fail);
    events.asObservable().pipe(map(fail)).subscribe();
    events.asObservable().subscribe(() => Promise.reject(new Error('x')) as unknown as void);
    expect(() => events.emit(event('a'))).not.toThrow();
    await settled();
    expect(errors).toEqual([new Error('x'), new Error('x'), new Error('x')]);
  });

  it('stops listening once it has been left', () => {
    const events = new ResilienceEvents();
    events.asObservable().subscribe().unsubscribe();
    expect(events.active('override')).toBe(false);
  });
});
