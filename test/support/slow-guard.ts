import type { EventEmitter } from 'node:events';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { deferred } from './wait.js';

/** A guard that is at work until the test lets it admit the request. */
export class SlowGuard implements CanActivate {
  readonly asked = deferred();
  /** The client has gone. */
  readonly gone = deferred();
  readonly allow = deferred();

  /** @param connection closes when the client goes */
  constructor(private readonly connection: (context: ExecutionContext) => EventEmitter) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    this.connection(context).once('close', () => this.gone.resolve());
    this.asked.resolve();
    await this.allow.promise;
    return true;
  }
}
