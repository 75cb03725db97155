import type { OnApplicationShutdown } from '@nestjs/common';
import type { ResilienceEvent, ResilienceEventKind } from '../telemetry/events.js';

/** The part of `ResilienceEvents` that is used here; the object may come from another copy of the package. */
export interface Events {
  on(kind: ResilienceEventKind, listener: (event: ResilienceEvent) => unknown): () => void;
}

/** The part of `EventEmitter2` that is used here. */
export interface Emitter {
  emitAsync(name: string, event: ResilienceEvent): Promise<unknown>;
}

/** Emits the library's events again, through an `EventEmitter2`. An error or a rejection of a listener has no effect. */
export class EventBridge implements OnApplicationShutdown {
  private readonly ends: readonly (() => void)[];

  constructor(
    events: Events,
    emitter: Emitter,
    kinds: readonly ResilienceEventKind[],
    prefix: string,
  ) {
    this.ends = kinds.map((kind) => {
      const name = `${prefix}.${kind}`;
      // The caller of a listener handles its promise: an unhandled rejection from `emit()` would end the process.
      return events.on(kind, (event) => emitter.emitAsync(name, event));
    });
  }

  /** Late, since calls go on until the server has answered its last request. */
  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
