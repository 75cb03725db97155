import { type CallHandler, type ExecutionContext, Logger } from '@nestjs/common';
import { of as just } from 'rxjs';
import { Retry } from '../../index.js';
import { liveRuntimes } from '../live-runtimes.js';
import { ResilienceInterceptor } from './resilience.interceptor.js';
import { RuntimeRef } from '../runtime-ref.js';
import type { Runtime } from '../runtime.js';

const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
beforeEach(() => warn.mockClear());
afterAll(() => warn.mockRestore());

const running = (): RuntimeRef => Object.assign(new RuntimeRef(), { runtime: {} as Runtime });

// Warnings that appear only once must not have appeared before.
describe('at the start, the interceptor', () => {
  it('says nothing in an application that has the library', () => {
    new ResilienceInterceptor(running()).onApplicationBootstrap();
    expect(warn).not.toHaveBeenCalled();
  });

  it('says nothing while another application runs, whose policies may apply', () => {
    const runtime = {} as Runtime;
    liveRuntimes.add(runtime);
    new ResilienceInterceptor().onApplicationBootstrap();
    liveRuntimes.delete(runtime);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ['the library is missing', undefined, 'import ResilienceModule.forRoot() in the root module'],
    ['the options are request-scoped', new RuntimeRef(), 'forRootAsync() are request-scoped'],
  ])('warns once if %s, in the name of the library', (_, ref, told) => {
    for (let time = 0; time < 2; time++) new ResilienceInterceptor(ref).onApplicationBootstrap();
    expect(warn.mock.calls).toEqual([[expect.stringContaining(told)]]);
    expect(warn.mock.contexts).toEqual([expect.objectContaining({ context: 'Resilience' })]);
  });
});

describe('a request passes the interceptor', () => {
  class Books {
    @Retry()
    async decorated(): Promise<void> {}
    async bare(): Promise<void> {}
  }
  const contextOf = (handler: Function): ExecutionContext =>
    ({ getClass: () => Books, getHandler: () => handler, getType: () => 'http' }) as never;
  const answer = just('answer');
  const next: CallHandler = { handle: () => answer };

  it.each([
    ['its handler has no policies', running(), Books.prototype.bare],
    ['the library is missing', undefined, Books.prototype.decorated],
    ['the library has no options', new RuntimeRef(), Books.prototype.decorated],
    ['a test tool has given it something else', {} as RuntimeRef, Books.prototype.decorated],
  ])('untouched if %s', (_, ref, handler) => {
    expect(new ResilienceInterceptor(ref).intercept(contextOf(handler), next)).toBe(answer);
  });
});
