import type { OnApplicationShutdown } from '@nestjs/common';
import type { ResilienceEvent, ResilienceEventKind } from '../telemetry/events.js';

/** The used part of `ResilienceEvents`, which may come from another copy of the package. */
export interface Events {
  on(kind: ResilienceEventKind, listener: (event: ResilienceEvent) => void): () => void;
}

/** The used part of `EventEmitter2`. */
export interface Emitter {
  emit(name: string, event: ResilienceEvent): unknown;
}

/** Emits the library's events again, by an `EventEmitter2`. Errors of its listeners have no effect. */
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
      return events.on(kind, (event) => void emitter.emit(name, event));
    });
  }

  /** Late, since calls go on until the server has answered its last request. */
  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
