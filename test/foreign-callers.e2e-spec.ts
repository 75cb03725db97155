import { EventEmitter } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { CircuitBreaker, Retry, Timeout } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

@Injectable()
class S {
  @CircuitBreaker('policed')
  async m(): Promise<string> {
    return 'ran';
  }
  @CircuitBreaker('policed')
  static async s(): Promise<string> {
    return 'ran';
  }
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const hostile = {
  get constructor(): never {
    throw new Error('hostile');
  },
};

const deaf = new Proxy(
  {},
  {
    get: () => {
      throw new Error('deaf');
    },
    getPrototypeOf: () => {
      throw new Error('deaf');
    },
  },
);

const callers: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 5],
  ['a string', 'word'],
  ['a plain object', {}],
  ['an object without a prototype', Object.create(null)],
  ['an object whose constructor throws', hostile],
  ['an object whose constructor is a number', { constructor: 1 }],
  ['an object whose constructor is the class', { constructor: S }],
  ['a class', class {}],
  ['a function', () => 1],
  ['a proxy', new Proxy({}, {})],
  ['a proxy that throws', deaf],
  ['a revoked proxy', revoked()],
  ['an event emitter', new EventEmitter()],
];

describe('a method that needs no instance runs with its policies, under its own name, on', () => {
  it.each(callers)('%s', async (_, self) => {
    const { registry } = await boot({ providers: [S] });

    const { m } = S.prototype;
    await expect(m.call(self as S)).resolves.toBe('ran');
    await expect(S.s.call(self as typeof S)).resolves.toBe('ran');
    expect(registry.get('policed').counts.requests).toBe(2);
  });

  it('an emitter, another object, or a bound function that it was passed to', async () => {
    const { app, registry } = await boot({ providers: [S] });
    const service = app.get(S);
    const answers: unknown[] = [];
    const emitter = new EventEmitter();

    const { m } = service;
    emitter.on('x', function (this: unknown) {
      answers.push(m.call(this as S));
    });
    emitter.emit('x');
    answers.push({ m }.m(), m.bind(service)(), Promise.resolve().then(m));
    expect(await Promise.all(answers)).toEqual(Array(4).fill('ran'));
    expect(registry.get('policed').counts.requests).toBe(4);
  });

  it('an instance of another decorated class, whose application it belongs to', async () => {
    @Injectable()
    class Other {
      @Retry()
      async other(): Promise<void> {}
    }
    const one = await boot({ providers: [S] });
    const two = await boot({ providers: [Other, S] });

    const { m } = S.prototype;
    const other: object = two.app.get(Other);
    await expect(m.call(other)).resolves.toBe('ran');
    expect(one.registry.get('policed').counts.requests).toBe(0);
    expect(two.registry.get('policed').counts.requests).toBe(1);
  });

  it('undefined, with policies of the class, under the name of the class', async () => {
    @Timeout('1s')
    class Parent {}
    @Injectable()
    class Child extends Parent {
      @CircuitBreaker()
      async m(): Promise<void> {}
    }
    const { registry, service } = await boot({ providers: [Child] });

    await Child.prototype.m.call(undefined as never);
    expect(registry.get('Child.m').counts.requests).toBe(1);
    expect(service.describe(Child, 'm').stages).toEqual(['circuit breaker', 'attempt timeout']);
  });

  it('an object that inherits from the instance', async () => {
    const { app, registry } = await boot({ providers: [S] });
    await (Object.create(app.get(S)) as S).m();
    expect(registry.get('policed').counts.requests).toBe(1);
  });
});

it('with several applications it runs bare, and a warning names class and method', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  class Torn {
    @CircuitBreaker('policed')
    async m(): Promise<string> {
      return 'ran';
    }
    @CircuitBreaker('policed')
    static async s(): Promise<string> {
      return 'ran';
    }
  }
  const one = await boot({ providers: [Torn] });
  const two = await boot({ providers: [Torn] });

  await expect(Torn.prototype.m.call(5 as never)).resolves.toBe('ran');
  await expect(Torn.s()).resolves.toBe('ran');
  await expect(Torn.s.call(revoked() as never)).resolves.toBe('ran');
  for (const { registry } of [one, two]) {
    expect(registry.get('policed').counts.requests).toBe(0);
  }
  const reason = 'no application has built its instance, and several are running';
  const told = warn.mock.calls.map(([message]) => message as string);
  expect(told.filter((message) => message.startsWith('Torn.'))).toEqual([
    `Torn.m runs without its policies: ${reason}`,
    `Torn.s runs without its policies: ${reason}`,
  ]);
  warn.mockRestore();
});
