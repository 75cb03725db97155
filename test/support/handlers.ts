import { APP_FILTER } from '@nestjs/core';
import { type ResilienceEvent, ResilienceExceptionFilter } from '../../src/index.js';
import { type Platform, type Served, of, serve } from './boot.js';

/** Works until its signal is aborted, or forever. */
export function hang(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

export const attemptsOf = (events: readonly ResilienceEvent[], name?: string): number =>
  of('attempt', events).filter((event) => name === undefined || event.name === name).length;

/** Starts servers whose only controller is the given one. */
export const servingOn =
  (platform: Platform) =>
  (controller: new (...args: never[]) => object, ...providers: object[]): Promise<Served> =>
    serve(platform, { controllers: [controller], providers: providers as never });

/** For undecorated handlers, as applications register it. */
export const answersRejections = { provide: APP_FILTER, useClass: ResilienceExceptionFilter };
