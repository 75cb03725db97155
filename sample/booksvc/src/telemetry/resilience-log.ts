import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type ResilienceEvent, ResilienceEvents } from 'nest-resilience';
import { inspect } from 'node:util';
import { JsonLogger } from '#common/json-logger.js';

/** Writes one line per event: attempt, retry, rejection, state change, fallback, … */
@Injectable()
export class ResilienceLog implements OnModuleInit, OnModuleDestroy {
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly events: ResilienceEvents,
    private readonly logger: JsonLogger,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.events.subscribe((event) => {
      if (!BEGINNINGS.has(event.type)) this.write(event);
    });
  }

  onModuleDestroy(): void {
    this.unsubscribe?.();
  }

  private write(event: ResilienceEvent): void {
    const { type, ...rest } = event;
    const error = 'error' in event && { error: describe(event.error) };
    this.logger.event(isGood(event) ? 'info' : 'warn', type, { ...rest, ...error });
  }
}

/** The events of their ends have more details. */
const BEGINNINGS: ReadonlySet<string> = new Set(['call-start', 'attempt-start']);

function isGood(event: ResilienceEvent): boolean {
  if (event.type === 'state-change') {
    return event.to !== 'open';
  }
  if (event.type === 'configuration') return true;
  return 'outcome' in event && event.outcome !== 'failure';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : inspect(error);
}
