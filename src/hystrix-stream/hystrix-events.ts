import type { CommandSnapshot } from '../commands/snapshot.js';
import { show } from '../common/printable.js';
import type { BreakerSnapshot } from '../policies/circuit-breaker/snapshot.js';
import type { HystrixCommandEvent } from './hystrix-command-event.js';
import { fromBreaker, fromCommand } from './hystrix-command.js';

interface Source<Snapshot> {
  readonly name: string;
  snapshot(): Snapshot;
}

/**
 * The parts of `ResilienceService` and `CircuitBreakerRegistry` that are used here; the objects may come from another copy
 * of the package.
 */
export interface Commands {
  commands(): Iterable<Source<CommandSnapshot>>;
}
export interface Breakers {
  list(which: { readonly keys: boolean }): Iterable<Source<BreakerSnapshot>>;
}

/** An entry of the dashboard whose event has not been made yet. */
interface Tile {
  readonly name: string;
  readonly event: () => HystrixCommandEvent;
}

const PING = 'ping: \n\n';

/** The commands of an application, and the breakers that are not part of a command of the same name, as an event stream. */
export class HystrixEvents {
  private readonly complaints = new Set<string>();

  constructor(
    private readonly service: Commands,
    private readonly breakers: Breakers,
    /** Whether breakers by key are included. */
    private readonly keys: boolean,
    private readonly warn: (problem: string) => void,
  ) {}

  /**
   * One text per event, made on request. Without events, a ping: readers give up a silent stream. An event that cannot
   * be made is left out.
   */
  *texts(): Generator<string, void, undefined> {
    let silent = true;
    try {
      for (const tile of this.tiles()) {
        const text = this.textOf(tile);
        if (text === undefined) continue;
        silent = false;
        yield text;
      }
    } catch (error) {
      this.complain('the list of commands', error);
    }
    if (silent) yield PING;
  }

  private *tiles(): Generator<Tile, void, undefined> {
    /** By command name: the breaker shown in that command's event. */
    const shownBreakers = new Map<string, string | undefined>();
    for (const command of this.service.commands()) {
      const { name } = command;
      const event = (): HystrixCommandEvent => {
        const snapshot = command.snapshot();
        shownBreakers.set(name, snapshot.circuitBreaker?.name);
        return fromCommand(snapshot, Date.now());
      };
      yield { name, event };
    }
    for (const breaker of this.breakers.list({ keys: this.keys })) {
      const { name } = breaker;
      if (shownBreakers.get(name) === name) continue;
      const event = (): HystrixCommandEvent => ({
        ...fromBreaker(breaker.snapshot(), Date.now()),
        ...(shownBreakers.has(name) && { name: `${name} (breaker)` }), // the command of that name has another breaker
      });
      yield { name, event };
    }
  }

  private textOf({ name, event }: Tile): string | undefined {
    try {
      return `data: ${JSON.stringify(event())}\n\n`;
    } catch (error) {
      this.complain(name, error);
      return undefined;
    }
  }

  /** Warns once per cause, not at each pass. */
  private complain(what: string, error: unknown): void {
    if (this.complaints.has(what)) return;
    this.complaints.add(what);
    this.warn(`${what} is missing in the stream: ${show(error)}`);
  }
}
