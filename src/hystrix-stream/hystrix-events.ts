import type { CommandSnapshot } from '../commands/snapshot.js';
import { show } from '../common/options-reader.js';
import type { BreakerSnapshot } from '../policies/circuit-breaker/snapshot.js';
import { type HystrixCommandEvent, fromBreaker, fromCommand } from './hystrix-command.js';

interface Source<Snapshot> {
  readonly name: string;
  snapshot(): Snapshot;
}

/** What is needed of `ResilienceService` and `CircuitBreakerRegistry`, which may be of another copy of the package. */
export interface Commands {
  commands(): Iterable<Source<CommandSnapshot>>;
}
export type Breakers = Iterable<Source<BreakerSnapshot>>;

const PING = 'ping: \n\n';

/** The commands of an application, and the breakers that no command of the same name stands for, as an event stream. */
export class HystrixEvents {
  private readonly complaints = new Set<string>();

  constructor(
    private readonly service: Commands,
    private readonly breakers: Breakers,
    private readonly warn: (problem: string) => void,
  ) {}

  /** Never empty, since readers give up a stream that is silent. What cannot be told is left out. */
  text(): string {
    const now = Date.now();
    /** The commands, each with the breaker that it tells of. */
    const told = new Map<string, string | undefined>();
    let text = '';
    const tell = (name: string, event: () => HystrixCommandEvent): void => {
      this.guard(name, () => {
        text += `data: ${JSON.stringify(event())}\n\n`;
      });
    };
    this.guard('the list of commands', () => {
      for (const command of this.service.commands()) {
        tell(command.name, () => {
          const snapshot = command.snapshot();
          told.set(command.name, snapshot.circuitBreaker?.name);
          return fromCommand(snapshot, now);
        });
      }
      for (const breaker of this.breakers) {
        const { name } = breaker;
        if (told.get(name) === name) continue;
        tell(name, () => ({
          ...fromBreaker(breaker.snapshot(), now),
          ...(told.has(name) && { name: `${name} (breaker)` }), // a command of that name has another one
        }));
      }
    });
    return text || PING;
  }

  /** Nobody catches what a timer throws. Complains once, not twice a second. */
  private guard(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.complaints.has(what)) return;
      this.complaints.add(what);
      this.warn(`${what} is missing in the stream: ${show(error)}`);
    }
  }
}
