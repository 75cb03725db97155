import { PassThrough } from 'node:stream';
import type { ArgumentsHost } from '@nestjs/common';
import { ResilienceError } from '../../common/errors.js';
import {
  type RawResponse,
  answer,
  isOver,
  isSent,
  rawResponseOf,
  sayWhenToRetry,
} from './http-answer.js';

/** A host with this response. */
function hostOf(response: unknown, type = 'http'): ArgumentsHost {
  const http = { getResponse: () => response };
  return { getType: () => type, switchToHttp: () => http } as unknown as ArgumentsHost;
}

/** Notes what is done to a response of Node. */
class Raw {
  headersSent = false;
  statusCode = 200;
  readonly headers: Record<string, string> = {};
  readonly ended: unknown[] = [];
  once(): void {}
  setHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  end(body?: unknown): void {
    this.ended.push(body);
  }
}

/** Notes what is done to a reply of Fastify. */
class Reply {
  readonly raw = new Raw();
  sent = false;
  readonly done: unknown[] = [];
  constructor(private readonly declared?: string | string[]) {}
  getHeader(name: string): string | string[] | undefined {
    return name === 'Content-Type' ? this.declared : undefined;
  }
  header(name: string, value: string): void {
    this.done.push([name, value]);
  }
  status(code: number): this {
    this.done.push(code);
    return this;
  }
  send(body: unknown): void {
    this.done.push(body);
  }
}

class Rejection extends ResilienceError {
  constructor(retryAfterMs?: number) {
    super({
      code: 'BUSY',
      policy: 'test',
      policyName: 'test',
      status: 503,
      title: 'Busy',
      message: 'busy',
      retryAfterMs,
    });
  }
}

describe('the response', () => {
  it('is the one below a reply of Fastify, or the response itself', () => {
    const reply = new Reply();
    expect(rawResponseOf(hostOf(reply))).toBe(reply.raw);
    expect(rawResponseOf(hostOf(reply.raw))).toBe(reply.raw);
  });

  it.each([
    ['there is none', undefined],
    ['it is null', null],
    ['it is not one of Node', { send: () => {} }],
  ])('is unknown when %s', (_, response) => {
    expect(rawResponseOf(hostOf(response))).toBeUndefined();
  });

  it('is unknown on other transports, whatever they have in its place', () => {
    expect(rawResponseOf(hostOf(new Raw(), 'rpc'))).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it.each([
    [1, '1'],
    [999, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [0, '1'],
    [-5, '1'],
    [90_000, '90'],
  ])('after %p ms is said in whole seconds, at least one: %s', (ms, seconds) => {
    const raw = new Raw();
    sayWhenToRetry(hostOf(raw), new Rejection(ms));
    expect(raw.headers).toEqual({ 'Retry-After': seconds });
    const reply = new Reply();
    sayWhenToRetry(hostOf(reply), new Rejection(ms));
    expect(reply.done).toEqual([['Retry-After', seconds]]);
    expect(reply.raw.headers).toEqual({});
  });

  it.each([
    ['it is unknown', new Rejection()],
    ['it is never', new Rejection(Infinity)],
    ['the error is not ours', Object.assign(new Error('busy'), { retryAfterMs: 5 })],
  ])('is left out when %s', (_, error) => {
    const raw = new Raw();
    sayWhenToRetry(hostOf(raw), error);
    expect(raw.headers).toEqual({});
  });

  it('is left out when the answer has begun, or when there is no response', () => {
    const begun = Object.assign(new Raw(), { headersSent: true });
    sayWhenToRetry(hostOf(begun), new Rejection(5));
    expect(begun.headers).toEqual({});
    expect(() => sayWhenToRetry(hostOf(undefined), new Rejection(5))).not.toThrow();
  });
});

describe('an answer', () => {
  const json = 'application/json; charset=utf-8';

  it('has status, type and body, also where only the response of Node is known', () => {
    const raw = new Raw();
    answer(hostOf(raw), 503, { code: 'BUSY' });
    expect(raw).toMatchObject({
      statusCode: 503,
      headers: { 'Content-Type': json },
      ended: ['{"code":"BUSY"}'],
    });
  });

  it.each([
    ['no type', undefined],
    ['a type of JSON', 'application/problem+JSON'],
  ])('leaves the type to the framework when the handler has declared %s', (_, declared) => {
    const reply = new Reply(declared);
    answer(hostOf(reply), 503, { code: 'BUSY' });
    expect(reply.done).toEqual([503, { code: 'BUSY' }]);
    expect(reply.raw.ended).toEqual([]);
  });

  it.each([
    ['another type', 'text/csv'],
    ['a list of others', ['text/csv', 'text/plain']],
  ])('is JSON although the handler has declared %s', (_, declared) => {
    const reply = new Reply(declared);
    answer(hostOf(reply), 503, { code: 'BUSY' });
    expect(reply.done).toEqual([['Content-Type', json], 503, { code: 'BUSY' }]);
  });

  it.each([
    [
      'begun',
      () => Object.assign(new Reply(), { raw: Object.assign(new Raw(), { headersSent: true }) }),
    ],
    ['been taken over by the handler', () => Object.assign(new Reply(), { sent: true })],
  ])('only ends one that has %s', (_, make) => {
    const reply = make();
    answer(hostOf(reply), 503, { code: 'BUSY' });
    expect(reply.done).toEqual([]);
    expect(reply.raw).toMatchObject({ statusCode: 200, ended: [undefined] });
  });

  it('is not given when there is no response', () => {
    expect(() => answer(hostOf(undefined), 503, {})).not.toThrow();
  });
});

describe('an answer over HTTP/1', () => {
  it.each([true, {}, () => {}, new PassThrough()])(
    'is judged by itself, whatever middleware has put at its stream: %p',
    (stream) => {
      const response = { destroyed: true, writableFinished: true, stream };
      expect(isOver(response as unknown as RawResponse)).toBe(true);
      expect(isSent(response as unknown as RawResponse)).toBe(true);
    },
  );
});
