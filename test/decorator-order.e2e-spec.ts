import {
  applyDecorators,
  type CanActivate,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Header,
  HttpCode,
  Injectable,
  Param,
  ParseIntPipe,
  type PipeTransform,
  Query,
  Redirect,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { map } from 'rxjs';
import { CircuitBreaker, Fallback, Retry, Timeout, constant, fallbackValue } from '../src/index.js';
import { boot, closeAll, everyPlatform, of, serve, withAttempts } from './support/boot.js';

afterEach(closeAll);

const Role = (role: string): MethodDecorator => SetMetadata('role', role);

@Injectable()
class RoleGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}
  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get<string>('role', context.getHandler());
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (role !== headers['x-role']) throw new ForbiddenException();
    return true;
  }
}

class Shout implements PipeTransform<unknown> {
  transform(given: unknown): unknown {
    return typeof given === 'string' ? given.toUpperCase() : given;
  }
}

class Envelope {
  intercept(_: ExecutionContext, next: { handle(): ReturnType<typeof map> }): unknown {
    return (next.handle() as never as { pipe(f: unknown): unknown }).pipe(
      map((data: unknown) => ({ data })),
    );
  }
}

const Agent = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-agent'],
);

/** A decorator of another library: wraps the method, and copies its metadata. */
function Traced(trace: string[]): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const inner = descriptor.value as (...args: unknown[]) => unknown;
    descriptor.value = function (this: unknown, ...args: unknown[]): unknown {
      trace.push(inner.name);
      return inner.apply(this, args);
    };
    for (const key of Reflect.getMetadataKeys(inner)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, inner), descriptor.value as object);
    }
  };
}

const Ours = (): ReturnType<typeof Retry> =>
  applyDecorators(
    Retry({ backoff: constant(0) }) as MethodDecorator,
    CircuitBreaker('ours') as MethodDecorator,
    Timeout('1s') as MethodDecorator,
  );

const Nests = (path: string): MethodDecorator =>
  applyDecorators(
    Get(`${path}/:id`),
    HttpCode(202),
    Header('X-Shelf', '7'),
    Role('reader'),
    UseGuards(RoleGuard),
    UsePipes(Shout),
    UseInterceptors(Envelope),
  );

@Controller()
class Books {
  @Ours()
  @Nests('above')
  async above(
    @Param('id', ParseIntPipe) id: number,
    @Query('q') words: string,
    @Agent() agent: string,
  ): Promise<object> {
    return { id, words, agent };
  }

  @Nests('below')
  @Ours()
  async below(
    @Param('id', ParseIntPipe) id: number,
    @Query('q') words: string,
    @Agent() agent: string,
  ): Promise<object> {
    return { id, words, agent };
  }

  @Retry({ backoff: constant(0) })
  @Nests('between')
  @CircuitBreaker('ours')
  async between(
    @Param('id', ParseIntPipe) id: number,
    @Query('q') words: string,
    @Agent() agent: string,
  ): Promise<object> {
    return { id, words, agent };
  }

  @Ours()
  @Redirect('/elsewhere', 307)
  @Get('moved')
  async moved(): Promise<void> {}
}

describe.each(everyPlatform)('on %s, decorators of Nest', (platform) => {
  it.each(['above', 'below', 'between'])('work the same when ours are %s them', async (order) => {
    const { url, registry } = await serve(platform, { controllers: [Books] });
    const path = `${url}/${order}/5?q=sea`;
    const headers = { 'x-role': 'reader', 'x-agent': 'anna' };

    const response = await fetch(path, { headers });
    expect(response.status).toBe(202);
    expect(response.headers.get('x-shelf')).toBe('7');
    expect(await response.json()).toEqual({ data: { id: 5, words: 'SEA', agent: 'ANNA' } });

    expect((await fetch(path)).status).toBe(403);
    expect((await fetch(`${url}/${order}/five`, { headers })).status).toBe(400);
    expect(registry.get('ours').counts).toMatchObject({ requests: 2, successes: 2, ignored: 0 });
  });

  it('redirect under ours', async () => {
    const { url } = await serve(platform, { controllers: [Books] });
    const response = await fetch(`${url}/moved`, { redirect: 'manual' });
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/elsewhere');
  });

  it.each(['above', 'below'])(
    'and wrappers of other libraries %s ours still let the interceptor own the policies',
    async (order) => {
      const trace: string[] = [];
      const Theirs = Traced(trace);
      const decorators = order === 'above' ? [Theirs, Ours()] : [Ours(), Theirs];
      @Controller()
      class K {
        @Get()
        @applyDecorators(...decorators)
        async list(): Promise<string[]> {
          return ['a book'];
        }
      }
      const { app, url, registry } = await serve(platform, { controllers: [K] });
      const events = withAttempts(app);
      expect(await (await fetch(url)).json()).toEqual(['a book']);
      expect(trace).toEqual(['list']);
      expect(registry.get('ours').counts.requests).toBe(1);
      expect(of('attempt', events)).toHaveLength(1);
    },
  );
});

describe('metadata', () => {
  it.each(['above', 'below', 'between'] as const)(
    'stays on the method when ours are %s',
    (order) => {
      const method = Books.prototype[order];
      expect(new Reflector().get('role', method)).toBe('reader');
      expect(Reflect.getMetadata('path', method)).toBe(`${order}/:id`);
      expect(Reflect.getMetadata('__guards__', method)).toEqual([RoleGuard]);
    },
  );

  it('of one method does not reach another one', () => {
    expect(Reflect.getMetadata('role', Books.prototype.moved)).toBeUndefined();
  });
});

it('the order of our own decorators has no effect', async () => {
  @Injectable()
  class S {
    @Fallback(fallbackValue('answer'))
    @Retry({ maxRetries: 1, backoff: constant(0) })
    @CircuitBreaker('x')
    @Timeout({ attempt: '1s', total: '3s' })
    async one(): Promise<string> {
      throw new Error('down');
    }

    @Timeout({ attempt: '1s', total: '3s' })
    @CircuitBreaker('x')
    @Retry({ maxRetries: 1, backoff: constant(0) })
    @Fallback(fallbackValue('answer'))
    async two(): Promise<string> {
      throw new Error('down');
    }
  }
  const { app, service } = await boot({ providers: [S] });
  expect(service.describe(S, 'one').stages).toEqual([
    'fallback',
    'total timeout',
    'retry',
    'circuit breaker',
    'attempt timeout',
  ]);
  expect(service.describe(S, 'two').stages).toEqual(service.describe(S, 'one').stages);
  expect(app.get(S)).toBeInstanceOf(S);
});
