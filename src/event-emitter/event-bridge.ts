import type { OnApplicationShutdown } from '@nestjs/common';
import type { ResilienceEvent, ResilienceEventKind } from '../telemetry/events.js';

/** The used part of `ResilienceEvents`, which may come from another copy of the package. */
export interface Events {
  on(kind: ResilienceEventKind, listener: (event: ResilienceEvent) => unknown): () => void;
}

/** The used part of `EventEmitter2`. */
export interface Emitter {
  emitAsync(name: string, event: ResilienceEvent): Promise<unknown>;
}

/** Emits the library's events again, by an `EventEmitter2`. An error of a listener has no effect, nor has a rejection. */
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
      // Whoever calls a listener sees to its promise: one of `emit()` that rejects would end the process.
      return events.on(kind, (event) => emitter.emitAsync(name, event));
    });
  }

  /** Late, since calls go on until the server has answered its last request. */
  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
