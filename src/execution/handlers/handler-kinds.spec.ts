import { Controller, Get, Next, Param, Query, Req, Res, SetMetadata, Sse } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Retry } from '../../index.js';
import { decoratedMethodOf } from '../methods/decorated-method.js';
import { isAwaitedByNest, isEventStream, isHandler, sendsResponse } from './handler-kinds.js';

@Controller()
class Books {
  @Get()
  route(): void {}
  @Sse()
  events(): void {}
  @SetMetadata('__sse__', false)
  noEvents(): void {}
  @MessagePattern('books')
  message(_data: unknown): void {}
  @EventPattern('books')
  event(_data: unknown): void {}
  // As packages mark them that are not installed here.
  @SetMetadata('websockets:message_mapping', true)
  frame(): void {}
  @SetMetadata('graphql:resolver_type', 'Query')
  query(): void {}
  @SetMetadata('graphql:resolve_property', 'title')
  field(): void {}
  plain(): void {}
}

describe('Nest calls for requests and messages', () => {
  it.each(['route', 'events', 'message', 'event', 'frame', 'query'] as const)('%s', (key) => {
    expect(isHandler(Books.prototype[key])).toBe(true);
    expect(isAwaitedByNest(Books.prototype[key])).toBe(true);
  });

  it.each(['field', 'plain'] as const)('but not %s', (key) => {
    expect(isHandler(Books.prototype[key])).toBe(false);
  });

  it('and also awaits fields', () => {
    expect(isAwaitedByNest(Books.prototype.field)).toBe(true);
    expect(isAwaitedByNest(Books.prototype.plain)).toBe(false);
  });

  it('event streams', () => {
    expect(isEventStream(Books.prototype.events)).toBe(true);
    expect(isEventStream(Books.prototype.noEvents)).toBe(false);
    expect(isEventStream(Books.prototype.route)).toBe(false);
  });
});

describe('a handler sends the response itself', () => {
  class K {
    @Retry()
    async none(): Promise<void> {}
    @Retry()
    async request(@Req() _r: unknown, @Param() _p: unknown, @Query() _q: unknown): Promise<void> {}
    @Retry()
    async response(@Req() _r: unknown, @Res() _s: unknown): Promise<void> {}
    @Retry()
    async next(@Next() _n: unknown): Promise<void> {}
    @Retry()
    async passing(@Res({ passthrough: true }) _s: unknown): Promise<void> {}
  }

  it.each([
    ['none', false],
    ['request', false],
    ['response', true],
    ['next', true],
    ['passing', false],
  ] as const)('or not: %s', (key, expected) => {
    expect(sendsResponse(decoratedMethodOf(K.prototype[key])!, K)).toBe(expected);
  });
});
