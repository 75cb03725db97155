import { Controller, Get, HttpCode, Injectable } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type MethodPolicyDecorator,
  type PolicyDecorator,
  Retry,
  Timeout,
  composePolicies,
  constant,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll, everyPlatform, of, serve, withAttempts } from './support/boot.js';
import { classWith } from './support/bootstrap.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

const Patient = (): PolicyDecorator =>
  composePolicies(Retry({ maxRetries: 1, backoff: constant(0) }), Timeout('1s'));
const STAGES = ['fallback', 'retry', 'circuit breaker', 'attempt timeout'];

describe('composePolicies()', () => {
  it('gives a method each of its policies, in any order', async () => {
    @Injectable()
    class S {
      @composePolicies(Patient(), CircuitBreaker('one'), Fallback('spare'))
      async one(): Promise<string> {
        throw new Error('down');
      }
      @composePolicies(Fallback('spare'), CircuitBreaker('two'), Patient())
      async two(): Promise<string> {
        throw new Error('down');
      }
      spare(): string {
        return 'answer';
      }
    }
    const { app, clock, service } = await boot({ providers: [S] });
    const events = withAttempts(app);
    expect(service.describe(S, 'one').stages).toEqual(STAGES);
    expect(service.describe(S, 'two').stages).toEqual(STAGES);
    const call = app.get(S).one();
    await clock.advance(1);
    await expect(call).resolves.toBe('answer');
    expect(of('attempt', events)).toHaveLength(2);
  });

  it('covers the methods of a class', async () => {
    @composePolicies(Injectable(), Patient())
    class S {
      async m(): Promise<void> {}
    }
    const { service } = await boot({ providers: [S] });
    expect(service.describe(S, 'm').stages).toEqual(['retry', 'attempt timeout']);
  });

  it.each(everyPlatform)('takes decorators of Nest among its parts, on %s', async (platform) => {
    const Route = (path: string): MethodPolicyDecorator<never, string> =>
      composePolicies(Get(path), HttpCode(202), Timeout('1s'), Fallback(fallbackValue('answer')));
    @Controller()
    class K {
      @Route('books')
      async list(): Promise<string> {
        throw new Error('down');
      }
    }
    const { app, url } = await serve(platform, { controllers: [K] });
    const events = withAttempts(app);
    const response = await fetch(`${url}/books`);
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('answer');
    expect(of('attempt', events)).toHaveLength(1);
  });

  it('applies its parts in the given order, and keeps the descriptor and the class that one returns', () => {
    const seen: string[] = [];
    const part =
      (name: string): MethodDecorator =>
      (_target, _key, descriptor) => {
        seen.push(name, String((descriptor as { value?: { name: string } }).value?.name));
        return { ...descriptor, value: { [name]: (): void => undefined }[name] as never };
      };
    class Other {}
    const Replace: ClassDecorator = () => Other as never;
    class S {
      async m(): Promise<void> {}
    }
    const before = Object.getOwnPropertyDescriptor(S.prototype, 'm')!;
    const compose = composePolicies as (...parts: unknown[]) => (...subject: unknown[]) => unknown;
    const after = compose(part('a'), part('b'))(S.prototype, 'm', before);
    expect(seen).toEqual(['a', 'm', 'b', 'a']);
    expect((after as { value: { name: string } }).value.name).toBe('b');
    expect(compose(Replace)(S)).toBe(Other);
  });

  it('reports all mistakes at bootstrap', async () => {
    const compose = composePolicies as (...parts: unknown[]) => MethodDecorator;
    const problems = await problemsOf({
      providers: [
        classWith('Twice', compose(Retry(), Patient())),
        classWith('Beside', compose(Timeout('2s')), Timeout('1s')),
        classWith('Empty', compose()),
        classWith('Bare', compose(Retry)),
        classWith('Odd', compose(3)),
      ],
    });
    expect(problems).toEqual([
      'Twice.m @Retry: is applied twice; use it once',
      'Beside.m @Timeout: is applied twice; use it once',
      'Empty.m composePolicies(): is given no decorators; give it at least one',
      'Bare.m @Retry: is used without parentheses; write @Retry()',
      'Odd.m composePolicies(): is given 3; give it decorators such as Retry()',
    ]);
  });
});
