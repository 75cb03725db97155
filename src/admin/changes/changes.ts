import { look } from '../../common/outcomes/look.js';
import { printable } from '../../common/printable.js';
import type { CircuitBreakerOptions } from '../../policies/circuit-breaker/options.js';
import type { PatchNote } from '../../execution/module-options.js';
import type { Scope } from '../../policies/scope.js';
import { AdminError } from '../admin-error.js';
import type { EventLog } from '../events/event-log.js';
import { plain } from '../plain.js';
import type { BreakerPart, BreakerRegistry } from '../views/parts.js';
import { type Change, WRONG_END, incomplete } from './change.js';

/** Changes options at run time. */
export type Configure = (
  name: string,
  options: CircuitBreakerOptions | null,
  why: PatchNote,
) => void;

/** Makes the changes that operators request, and records who made them and why. */
export class Changes {
  constructor(
    private readonly breakers: BreakerRegistry,
    private readonly configure: Configure,
    private readonly log: EventLog,
    private readonly tell: (line: string) => void,
    private readonly now: () => number,
  ) {}

  /** @throws {AdminError} when the breaker does not exist, or the options are wrong */
  make(name: string, change: Change): void {
    const { action, by, reason, until, options } = change;
    const scope = action === 'configure' ? (change.scope ?? this.scopeOf(name)) : undefined;
    if (scope !== undefined) this.reconfigure(name, change, scope);
    else this.override(this.breaker(name), change);
    this.log.add({
      at: this.now(),
      type: 'change',
      name,
      details: {
        action,
        by,
        reason,
        ...(until !== undefined && { until: until.getTime() }),
        ...(options !== undefined && { options: options && plain(options) }),
        ...(scope === 'shared' && { scope }),
      },
    });
    const end = until === undefined ? '' : ` until ${until.toISOString()}`;
    const whose = scope === 'shared' ? ' for all instances' : '';
    this.tell(`${by}: ${action} "${printable(name)}"${whose}${end}: ${reason}`);
  }

  private override(breaker: BreakerPart, change: Change): void {
    try {
      apply(breaker, change);
    } catch (error) {
      // Its end was to come when the change was read.
      if (change.until !== undefined && change.until.getTime() <= this.now())
        throw incomplete([WRONG_END]);
      throw error;
    }
  }

  private breaker(name: string): BreakerPart {
    if (!this.breakers.has(name)) throw unknown();
    return this.breakers.get(name);
  }

  /** The options of a breaker, or of the breakers of all keys of a name. */
  private scopeOf(name: string): Scope {
    return this.breakers.isShared(name) ? 'shared' : 'local';
  }

  private reconfigure(name: string, change: Change, scope: Scope): void {
    const { options, by, reason, until } = change;
    if (scope === 'local' && until !== undefined) {
      throw incomplete(['until: only for an override, and for a change of all instances']);
    }
    const note = { by, reason, scope, ...(until !== undefined && { until }) };
    try {
      this.configure(name, options as CircuitBreakerOptions | null, note);
    } catch (error) {
      const problems: unknown = look(error, 'problems');
      if (!Array.isArray(problems)) throw unknown();
      throw new AdminError(
        400,
        'BAD_REQUEST',
        'the options are wrong; the old ones stay in force',
        problems.map((problem) => withoutInput(String(problem))),
      );
    }
  }
}

function apply(breaker: BreakerPart, { action, by, reason, until }: Change): void {
  const why = { by, reason, ...(until !== undefined && { until }) };
  switch (action) {
    case 'force-open':
      return breaker.forceOpen(why);
    case 'disable':
      return breaker.disable(why);
    case 'observe-only':
      return breaker.observeOnly(why);
    case 'clear':
      return breaker.clearOverride();
    case 'reset':
      return breaker.reset();
    case 'configure':
  }
}

function unknown(): AdminError {
  return new AdminError(404, 'NOT_FOUND', 'there is no circuit breaker of that name');
}

/** The name of an option; a message may repeat it. */
const OPTION = '[a-zA-Z]{1,30}(?:\\.[a-zA-Z]{1,30})*';
const WRONG = new RegExp(
  `: (${OPTION})(?: \\(from configure\\(.*?\\)\\))? is .*; (use [^;]*)$`,
  's',
);
/** The part of a message about the fleet, without a value of the body. */
const OF_FLEET = /: (scope is 'shared', but there is no store|the fleet keeps at most .*)(?:$| )/s;
const FIXED = new RegExp(`: (${OPTION} cannot be changed while the application runs)$`);

/**
 * A problem with the options without the value that was sent: `failureRate: use a number above 0 and at most 1`. One that names an
 * unknown option only says which ones there are.
 */
function withoutInput(problem: string): string {
  const unknownOption = /is not an option; (the options are [^;]*)$/s.exec(problem);
  if (unknownOption !== null) return `there is an unknown option; ${unknownOption[1]}`;
  const wrong = WRONG.exec(problem);
  if (wrong !== null) return `${wrong[1]}: ${wrong[2]}`;
  return (
    FIXED.exec(problem)?.[1] ?? OF_FLEET.exec(problem)?.[1] ?? 'the options contradict each other'
  );
}
