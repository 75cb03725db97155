import 'reflect-metadata';
import { ConflictException, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { WsException } from '@nestjs/websockets';
import {
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
} from 'bullmq';
import { GraphQLError } from 'graphql';
import { defaultOutcome } from '../../src/common/outcomes/default-outcome.js';
import { retryAfterOf } from '../../src/common/outcomes/retry-after.js';
import { everyKeyOf } from './support.js';

const graphqlError = (extensions: object): GraphQLError =>
  new GraphQLError('x', { extensions: { ...extensions } });

describe.each([
  ['RpcException', RpcException],
  ['WsException', WsException],
])('the outcome of a %s', (_, Exception) => {
  it.each<[string, object, string]>([
    ['status 404', { status: 404 }, 'success'],
    ['statusCode 409', { statusCode: 409, message: 'taken' }, 'success'],
    ['code 404', { code: 404 }, 'success'],
    ['a NotFoundException', new NotFoundException(), 'success'],
    [
      'the answer of a ConflictException',
      new ConflictException().getResponse() as object,
      'success',
    ],
    ['status 503', { status: 503 }, 'failure'],
    ['status 429', { status: 429 }, 'failure'],
    ['a ServiceUnavailableException', new ServiceUnavailableException(), 'failure'],
    ['a gRPC code of a wrong argument', { code: 3, message: 'x' }, 'success'],
    ['a gRPC code of an unavailable server', { code: 14, message: 'x' }, 'failure'],
    ['a rejection of another service', { code: 'CIRCUIT_OPEN', retryAfterMs: 5 }, 'failure'],
    ['nothing that is known', { code: 'SOLD_OUT' }, 'failure'],
  ])('follows its payload: %s', (_title, payload, outcome) => {
    expect(defaultOutcome(new Exception(payload))).toBe(outcome);
  });

  it('is a failure if its payload is only a text, as for its caller', () => {
    expect(defaultOutcome(new Exception('not found'))).toBe('failure');
    expect(defaultOutcome({ status: 'error', message: 'not found' })).toBe('failure');
  });

  it('never hangs on one that contains itself', () => {
    const error = new Exception({});
    jest.spyOn(error, 'getError').mockReturnValue(error);
    expect(defaultOutcome(error)).toBe('failure');
  });
});

describe('the outcome of a GraphQLError', () => {
  it.each(everyKeyOf('GraphQL'))('with code %s is a %s', (code, outcome) => {
    expect(defaultOutcome(graphqlError({ code }))).toBe(outcome);
  });

  it.each<[string, object, string]>([
    ['404', { http: { status: 404 } }, 'success'],
    ['503', { http: { status: 503 } }, 'failure'],
    ['404 beside a code of its own', { code: 'NO_BOOK', http: { status: 404 } }, 'success'],
    ['200, which says nothing,', { code: 'NO_BOOK', http: { status: 200 } }, 'failure'],
  ])('with status %s follows the status', (_, extensions, outcome) => {
    expect(defaultOutcome(graphqlError(extensions))).toBe(outcome);
  });

  it('around an HttpException follows the exception', () => {
    const around = (originalError: Error): GraphQLError => new GraphQLError('x', { originalError });
    expect(defaultOutcome(around(new NotFoundException()))).toBe('success');
    expect(defaultOutcome(around(new ServiceUnavailableException()))).toBe('failure');
  });

  it('without a code is a failure', () => {
    expect(defaultOutcome(new GraphQLError('x'))).toBe('failure');
  });
});

describe('a rejection that another service has sent', () => {
  const sent = { code: 'CIRCUIT_OPEN', retryAfterMs: 2_500 };

  it.each<[string, unknown]>([
    ['as clients of microservices get it', sent],
    ['in an RpcException', new RpcException(sent)],
    ['in a GraphQLError', graphqlError(sent)],
  ])('is a failure with its retry time, %s', (_, error) => {
    expect(defaultOutcome(error)).toBe('failure');
    expect(retryAfterOf(error, 0)).toBe(2_500);
  });

  it.each(everyKeyOf('nest-resilience in another service'))(
    'with code %s is a %s',
    (code, outcome) => {
      expect(defaultOutcome({ code })).toBe(outcome);
      expect(retryAfterOf({ code }, 0)).toBeUndefined();
    },
  );

  it.each([-1, NaN, Infinity, '2500', null])('has no retry time of %p', (retryAfterMs) => {
    expect(retryAfterOf({ code: 'CIRCUIT_OPEN', retryAfterMs }, 0)).toBeUndefined();
  });

  it('has no retry time without a code, since it is not ours then', () => {
    expect(retryAfterOf({ retryAfterMs: 5 }, 0)).toBeUndefined();
  });
});

describe('the outcome of a control error of BullMQ', () => {
  it.each(
    [
      new DelayedError(),
      new DelayedError('until tomorrow'),
      new WaitingError(),
      new WaitingChildrenError(),
      new RateLimitError(),
      new UnrecoverableError('no such user'),
    ].map((error): [string, Error] => [error.name, error]),
  )('is ignored: %s', (_, error) => {
    expect(defaultOutcome(error)).toBe('ignored');
  });

  it('is not that of an error of the same name from an HTTP client', () => {
    class RateLimitError extends Error {
      override readonly name = 'RateLimitError';
    }
    expect(defaultOutcome(new RateLimitError('slow down'))).toBe('failure');
  });
});
