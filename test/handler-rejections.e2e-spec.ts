import {
  BadGatewayException,
  Controller,
  Get,
  Inject,
  Injectable,
  NotFoundException,
  Param,
  ParseIntPipe,
  Req,
  Scope,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  CircuitBreaker,
  type FallbackContext,
  Fallback,
  Timeout,
  staleIfError,
} from '../src/index.js';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';
import { answersRejections, hang, servingOn } from './support/handlers.js';
import { Visits } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('a decorated handler on %s', (platform: Platform) => {
  const serving = servingOn(platform);

  describe('rejections', () => {
    it('by an open circuit are 503 with Retry-After and a JSON body that reveals no internals', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @CircuitBreaker({ name: 'secret-upstream', consecutiveFailures: 1, openFor: '4500ms' })
        async get(): Promise<never> {
          visits.visit();
          throw new BadGatewayException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(502);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toEqual({
        statusCode: 503,
        message: 'Service Unavailable',
        error: 'Service Unavailable',
        code: 'CIRCUIT_OPEN',
      });
      expect(visits.count).toBe(1);
    });

    it('by a circuit that is forced open without an end have no Retry-After', async () => {
      @Controller()
      class K {
        @Get()
        @CircuitBreaker({ consecutiveFailures: 1, openFor: () => Infinity })
        async get(): Promise<never> {
          throw new BadGatewayException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(502);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after') ?? '0').toMatch(/^\d+$/);
    });

    it('by a timeout are 504 with a JSON body', async () => {
      const visits = new Visits();
      @Controller()
      class K {
        @Get()
        @Timeout('2s')
        async get(): Promise<never> {
          visits.visit();
          return hang();
        }
      }
      const { url, clock } = await serving(K);
      const answer = fetch(url);
      await visits.reached(1);
      await clock.advance(2_000);
      const response = await answer;
      expect(response.status).toBe(504);
      expect(await response.json()).toEqual({
        statusCode: 504,
        message: 'Gateway Timeout',
        error: 'Gateway Timeout',
        code: 'TIMEOUT',
      });
    });

    it('made by a service below an undecorated handler are answered the same by the filter', async () => {
      @Injectable()
      class Shelf {
        @CircuitBreaker({ consecutiveFailures: 1, openFor: '3s' })
        async books(): Promise<never> {
          throw new Error('down');
        }
      }
      @Controller()
      class K {
        constructor(readonly shelf: Shelf) {}
        @Get()
        get(): Promise<never> {
          return this.shelf.books();
        }
      }
      const { url, clock } = await serving(K, Shelf, answersRejections);
      expect((await fetch(url)).status).toBe(500);
      await clock.advance(500);
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('3');
      expect(await response.json()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    });
  });

  describe('has a fallback that is', () => {
    it('a method of the controller', async () => {
      const given: unknown[] = [];
      @Controller()
      class K {
        private readonly shelf = 'the shelf of this controller';
        @Get(':id')
        @Fallback('answer')
        async get(@Param('id') _id: string): Promise<string> {
          throw new BadGatewayException();
        }
        answer(...args: unknown[]): string {
          given.push(...args);
          return this.shelf;
        }
      }
      const { url } = await serving(K);
      expect(await (await fetch(`${url}/5`)).text()).toBe('the shelf of this controller');
      expect(given).toEqual(['5', expect.objectContaining({ name: 'K.get', attempts: 1 })]);
    });

    it('a method of a request-scoped controller, for the same request', async () => {
      let made = 0;
      @Controller({ scope: Scope.REQUEST })
      class K {
        constructor(@Inject(REQUEST) private readonly own: { params: { id: string } }) {
          made += 1;
        }
        @Get(':id')
        @Fallback('answer')
        async get(@Param('id') _id: string): Promise<string> {
          throw new BadGatewayException();
        }
        answer(): string {
          return `instance ${made} for ${this.own.params.id}`;
        }
      }
      const { url } = await serving(K);
      expect(await (await fetch(`${url}/5`)).text()).toBe('instance 1 for 5');
      expect(await (await fetch(`${url}/6`)).text()).toBe('instance 2 for 6');
    });

    it('a function, which gets the arguments of the handler', async () => {
      @Controller()
      class K {
        @Get(':id')
        @Fallback(
          ({ error }: FallbackContext, request: { method: string }, id: number) =>
            `${request.method} ${typeof id} ${id}: ${String(error)}`,
        )
        async get(
          @Req() _request: unknown,
          @Param('id', ParseIntPipe) _id: number,
        ): Promise<string> {
          throw new BadGatewayException('down');
        }
      }
      const { url } = await serving(K);
      const answer = await fetch(`${url}/5`);
      expect(await answer.text()).toBe('GET number 5: BadGatewayException: down');
    });

    it('the last good answer, by its key', async () => {
      let down = false;
      @Controller()
      class K {
        @Get(':id')
        @Fallback(
          staleIfError({ ttl: '1m', key: ({ params }: { params: { id: string } }) => params.id }),
        )
        async get(@Param('id') id: string): Promise<object> {
          if (down) throw new BadGatewayException();
          return { id };
        }
      }
      const entries = new Map<string, unknown>();
      const cache = {
        get: async (key: string) => entries.get(key),
        set: async (key: string, entry: unknown) => void entries.set(key, entry),
      };
      const { url } = await serving(K, { provide: 'CACHE_MANAGER', useValue: cache });
      await fetch(`${url}/5`);
      down = true;
      expect(await (await fetch(`${url}/5`)).json()).toEqual({ id: '5' });
      expect((await fetch(`${url}/6`)).status).toBe(502);
    });

    it('not called for 4xx', async () => {
      @Controller()
      class K {
        @Get()
        @Fallback(() => 'never')
        async get(): Promise<string> {
          throw new NotFoundException();
        }
      }
      const { url } = await serving(K);
      expect((await fetch(url)).status).toBe(404);
    });
  });
});
