import { BadGatewayException, Controller, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BaseRpcContext,
  type CustomTransportStrategy,
  EventPattern,
  Payload,
  Server,
} from '@nestjs/microservices';
import { Observable, firstValueFrom, isObservable } from 'rxjs';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  Retry,
  Signal,
  constant,
} from '../src/index.js';
import { appModule, closeAll, quiet, watch } from './support/boot.js';
import { type Deferred, Visits, deferred, outcome, settle, until } from './support/wait.js';

afterEach(closeAll);

/** A transport without a network. */
class Memory extends Server implements CustomTransportStrategy {
  listen(started: () => void): void {
    started();
  }
  close(): void {}
  override on(): void {}
  override unwrap<T>(): T {
    return undefined as T;
  }

  /** Hands an event to its handlers, and awaits them as Kafka does. */
  async emit(event: string): Promise<unknown> {
    const handler = this.getHandlerByPattern(event)!;
    const result: unknown = await handler({ event }, new BaseRpcContext([]));
    return isObservable(result) ? firstValueFrom(result) : result;
  }
}

const visits = new Visits();
let fail: Deferred;
let done: Deferred<boolean>;
let ended: Deferred;

@Controller()
class Orders {
  @EventPattern('rejected')
  @CircuitBreaker('mail')
  async mail(_event: object): Promise<void> {}

  @EventPattern('rejected')
  @Retry()
  async count(_event: object): Promise<void> {
    visits.visit();
  }

  @EventPattern('failed')
  @Retry({ maxRetries: 0 })
  async fails(_event: object): Promise<void> {
    await fail.promise;
    throw new BadGatewayException();
  }

  @EventPattern<string>('failed')
  @Retry({ maxRetries: 1, backoff: constant('1s') })
  async goesOn(@Payload() _event: object, @Signal() signal: AbortSignal): Promise<void> {
    if (visits.visit() === 1) throw new BadGatewayException();
    done.resolve(signal.aborted);
  }

  @EventPattern('watched')
  @Retry({ maxRetries: 0 })
  async breaks(_event: object): Promise<void> {
    await fail.promise;
    throw new BadGatewayException();
  }

  @EventPattern('watched')
  @Bulkhead({ name: 'streams', maxConcurrent: 1 })
  stream(_event: object): Observable<string> {
    return new Observable((subscriber) => {
      subscriber.next('one');
      visits.visit();
      return () => ended.resolve();
    });
  }
}

const warnings: string[] = [];
const logger: LoggerService = {
  log() {},
  error() {},
  warn: (message: unknown) => void warnings.push(String(message)),
};

async function start() {
  const strategy = new Memory();
  const { AppModule, clock } = appModule({ controllers: [Orders], resilience: { logger } });
  const app = await NestFactory.createMicroservice(AppModule, { strategy, ...quiet });
  await app.listen();
  return { strategy, app, clock, ...watch(app) };
}

beforeEach(() => {
  visits.count = 0;
  warnings.length = 0;
  [fail, done, ended] = [deferred(), deferred<boolean>(), deferred()];
});

describe('a decorated handler of an event that has several', () => {
  it('runs although another one turns the event away, and the transport hears of that', async () => {
    const { strategy, registry } = await start();
    registry.get('mail').forceOpen();
    const { error } = await outcome(strategy.emit('rejected'));
    expect(error).toEqual({ code: 'CIRCUIT_OPEN' });
    expect(visits.count).toBe(1);
    expect(warnings.filter((line) => line.startsWith('Orders'))).toEqual([
      `Orders.mail has turned away an event ('rejected'): circuit "mail" is open`,
    ]);
  });

  it('goes on, with its retries and its signal, when another one fails', async () => {
    const { strategy, clock } = await start();
    const emitted = outcome(strategy.emit('failed'));
    await visits.reached(1);
    fail.resolve();
    expect((await emitted).error).toMatchObject({ status: 'error' });
    await settle();
    await clock.advance(1_000);
    expect(await done.promise).toBe(false);
    expect(visits.count).toBe(2);
  });

  it('that answers with a stream ends with the others, and gives its place back', async () => {
    const { strategy, app } = await start();
    const emitted = outcome(strategy.emit('watched'));
    await visits.reached(1);
    await settle();
    fail.resolve();
    await emitted;
    await ended.promise;
    await until(() => app.get(BulkheadRegistry).get('streams').snapshot().running === 0);
  });
});
