import { inspect } from 'node:util';
import { Unreadable, legible, legibleThroughout } from './legible.js';

const throwing = (key: string): object =>
  Object.defineProperty({}, key, {
    enumerable: true,
    get() {
      throw new Error('no such setting');
    },
  });

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const unreadable = new Unreadable(new Error('no such setting'));

describe('options that can be read', () => {
  class Settings {
    maxRetries = 3;
  }

  it.each([
    ['plain', { a: 1, b: [{ c: 2 }], d: undefined }],
    ['frozen', Object.freeze({ a: Object.freeze([1]) })],
    ['a list', [1, { a: 2 }]],
    ['of a class', new Settings()],
    ['a function', () => 1],
    ['a text', 'storagesvc'],
    ['a map', new Map()],
    ['null', null],
  ])('stay the same object: %s', (_, options) => {
    expect(legible(options)).toBe(options);
    expect(legibleThroughout(options)).toStrictEqual(options);
  });

  it('are copied throughout, so that later changes have no effect', () => {
    const options = { on: [Error], halfOpen: { maxCalls: 1 } };
    const copy = legibleThroughout(options);
    options.on.push(TypeError);
    options.halfOpen.maxCalls = -1;
    expect(copy).toEqual({ on: [Error], halfOpen: { maxCalls: 1 } });
  });

  it('may contain an object with private state, which stays itself', () => {
    class Counter {
      #count = 0;
      next(): number {
        return ++this.#count;
      }
    }
    const { counter } = legibleThroughout({ counter: new Counter() });
    expect(counter.next()).toBe(1);
  });

  it('may contain themselves', () => {
    const options: Record<string, unknown> = { a: 1 };
    options.self = [options];
    const copy = legibleThroughout(options);
    expect([copy.a, legible(options)]).toEqual([1, options]);
  });

  it('become data where they are getters, which are read once', () => {
    let reads = 0;
    const options = {
      get maxRetries() {
        reads += 1;
        return 2;
      },
    };
    const read = legible(options);
    expect(inspect(read)).toBe('{ maxRetries: 2 }');
    expect(reads).toBe(1);
  });

  it('may be getters of a class, and what it inherits, but not methods', () => {
    class Base {
      get maxRetries(): number {
        return 4;
      }
    }
    class Derived extends Base {
      readonly backoff = { delay: 1 };
      helper(): void {}
    }
    expect(legible(new Derived())).toEqual({ backoff: { delay: 1 }, maxRetries: 4 });
    expect(legible(Object.create({ maxRetries: 4 }))).toEqual({ maxRetries: 4 });
  });

  it('are copied from a proxy, which may refuse other keys', () => {
    const strict = new Proxy(
      { maxCalls: 1 },
      {
        get(target, key) {
          if (!(key in target)) throw new Error(`unknown: ${String(key)}`);
          return target[key as 'maxCalls'];
        },
      },
    );
    const { halfOpen } = legibleThroughout({ halfOpen: strict }) as { halfOpen: { other?: 1 } };
    expect(halfOpen).toEqual({ maxCalls: 1 });
    expect(halfOpen.other).toBeUndefined();
  });
});

describe('what cannot be read', () => {
  it('is named, beside what can', () => {
    const options = { a: 1, b: throwing('c'), d: [throwing('e'), 2], f: revoked() };
    expect(legibleThroughout(options)).toEqual({
      a: 1,
      b: { c: unreadable },
      d: [{ e: unreadable }, 2],
      f: expect.any(Unreadable) as Unreadable,
    });
    expect(legible(options)).toBe(options);
    expect(legible(throwing('c'))).toEqual({ c: unreadable });
    expect(`${unreadable.name}: ${unreadable.message}`).toBe('unreadable: Error: no such setting');
  });

  it.each(['ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const)(
    'may be all: a proxy with a trap %s',
    (trap) => {
      const proxy = new Proxy(
        { a: 1 },
        {
          [trap]: () => {
            throw new Error('no such setting');
          },
        },
      );
      const read = legible<unknown>(proxy);
      if (trap === 'getPrototypeOf') expect(read).toEqual({ a: 1 });
      else expect(read).toEqual(unreadable);
    },
  );
});

it("leaves alone what is the user's own: the answer of a fallback, a clock", () => {
  const value = throwing('a');
  const clock = throwing('now');
  const options = { handler: { kind: 'value', value }, clock };
  const read = legibleThroughout(options, ['clock']);
  expect([read.clock === clock, read.handler.value === value]).toEqual([true, true]);
});

it('leaves them alone in their own place only', () => {
  const options = { pipelines: { clock: { value: { retry: 1 } } } };
  const read = legibleThroughout(options, ['clock']);
  options.pipelines.clock.value.retry = 2;
  expect(read.pipelines.clock.value.retry).toBe(1);
});

it('looks no deeper than options are', () => {
  class Client {
    readonly connection = throwing('socket');
    readonly inner = new (class Pool {
      readonly size = throwing('size');
    })();
  }
  const { client } = legibleThroughout({ client: new Client() });
  expect(client.inner).toBeInstanceOf(Object);
  expect(client.connection).toEqual({ socket: unreadable });
  expect(() => client.inner.size).not.toThrow();
  expect(inspect(client.inner.size)).toBe('{ socket: [Getter] }'.replace('socket', 'size'));
});
