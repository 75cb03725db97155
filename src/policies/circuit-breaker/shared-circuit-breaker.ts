import { requireFunction } from '../../common/given.js';
import { printable } from '../../common/printable.js';
import type { Figures } from '../../fleet/figures.js';
import type {
  CircuitMember,
  FleetSite,
  ProbeRight,
  SharedCircuit,
} from '../../fleet/shared-circuit.js';
import type { QuorumRule, SharedOverride } from '../../fleet/store.js';
import type {
  BreakerOverride,
  BreakerState,
  OverrideKind,
  StateChangeReason,
} from '../../telemetry/events.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { UNKNOWN } from './circuit.js';
import type { BreakerEnvironment } from './environment.js';
import type { BreakerSettings } from './options.js';
import type { OverrideOptions } from './override.js';
import type { Permit } from './permit.js';
import { Probes } from './probes.js';

/** Ends of overrides that differ by less count as the same. Milliseconds. */
const SAME_END = 2_000;

/**
 * A breaker whose state is the fleet's. It decides by its own copy, without asking; only a probe needs a lease from
 * the fleet. While the store is away, and while it is open by its own decision alone, it is a local breaker.
 */
export class SharedCircuitBreaker extends CircuitBreaker implements CircuitMember {
  private readonly fleet: SharedCircuit;
  /** The leases of running probes. */
  private readonly leased = new Map<Permit, string>();

  /** @internal */
  constructor(
    name: string,
    settings: BreakerSettings,
    environment: BreakerEnvironment,
    site: FleetSite,
  ) {
    super(name, settings, environment);
    this.fleet = site.join(this);
  }

  override get shared(): boolean {
    return true;
  }

  /** @internal */
  get quorum(): QuorumRule | undefined {
    return this.settings.sharing?.quorum;
  }

  /** @internal */
  get figures(): Figures {
    const counts = this.recorded?.outcomes(this.now());
    if (counts === undefined) return { calls: 0, failures: 0, rejections: 0 };
    const failures = counts.failure + counts.timeout;
    const calls = counts.success + failures + counts.ignored;
    return { calls, failures, rejections: counts.rejected.circuitOpen };
  }

  override async execute<T>(work: () => T | Promise<T>): Promise<T> {
    requireFunction('execute()', 'the work', work);
    const permit = this.admit(this.now()) ?? (await this.ask(this.now()));
    if (permit === undefined) throw this.reject(this.now());
    return this.run(permit, work);
  }

  /** A probe cannot wait for its lease here: this call is rejected, and a later one gets it. */
  override tryAcquire(): Permit | undefined {
    const permit = super.tryAcquire();
    if (permit === undefined) this.askForLater(this.now());
    return permit;
  }

  /**
   * @internal Asks the fleet for a probe.
   *
   * @returns `undefined` when there is no point in asking
   */
  override ask(now: number): Promise<Permit | undefined> | undefined {
    const answer = this.request(now);
    return answer && this.whenAnswered(answer, this.generation);
  }

  override clearOverride(): void {
    super.clearOverride();
    this.fleet.overridden(undefined);
  }

  override reset(): void {
    super.reset();
    this.fleet.reset();
  }

  /** @internal */
  override retire(): void {
    this.fleet.leave();
  }

  /** @internal */
  adopt(
    state: BreakerState,
    { remainingMs, openings }: { readonly remainingMs: number; readonly openings: number },
    reason: StateChangeReason,
  ): void {
    const now = this.now();
    this.update(now);
    if (state !== 'closed' && this.overridden?.shown.kind === 'disabled') return;
    if (state === 'closed') this.openTime.reset();
    if (state === 'open') {
      this.opensUntil = now + remainingMs;
      this.openTime.adopt(openings, remainingMs);
      this.changesAt = UNKNOWN;
    }
    if (this.current !== state) this.enter(state, reason, now);
  }

  /** @internal */
  adoptOverride(override: SharedOverride | undefined): void {
    const now = this.now();
    this.update(now);
    const shown = override && this.shownOf(override);
    if (isSame(this.overridden?.shown, shown)) return;
    if (shown === undefined) return this.endOverride();
    this.overridden = { shown, endsAt: now + (override?.remainingMs ?? Infinity) };
    this.changesAt = UNKNOWN;
    this.announceOverride();
  }

  protected override overrideWith(kind: OverrideKind, options?: OverrideOptions): void {
    super.overrideWith(kind, options);
    const { shown, endsAt } = this.overridden!;
    this.fleet.overridden({ state: kind, by: shown.by, reason: shown.reason, endsAt });
  }

  protected override announceOverride(): void {
    const { away } = this.fleet;
    super.announceOverride(away);
    if (!away) return;
    this.environment.warn(
      `circuit "${printable(this.name)}": the override applies to this instance only until the store is back`,
    );
  }

  protected override probe(now: number): Permit | undefined {
    if (!this.fleet.decides) return super.probe(now);
    const token = this.fleet.take();
    if (token === undefined) return undefined;
    const probe = super.probe(now);
    if (probe === undefined) this.fleet.giveBack(token);
    else this.leased.set(probe, token);
    return probe;
  }

  /** @internal */
  protected override voidProbe(probe: Permit): void {
    const token = this.leased.get(probe);
    if (token === undefined) return;
    this.leased.delete(probe);
    this.fleet.giveBack(token);
  }

  /** The fleet decides about a probe that has a lease; if the store is away by now, the breaker decides alone. */
  protected override judgeProbe(probe: Permit, bad: boolean, now: number, error: unknown): void {
    const token = this.leased.get(probe);
    if (token === undefined) return super.judgeProbe(probe, bad, now, error);
    this.leased.delete(probe);
    const { generation, settings } = this;
    const openMs = this.openTime.ladder(error, settings);
    const outcome = bad ? 'failure' : 'success';
    void this.fleet.settle(token, outcome, settings.successThreshold, openMs).then((delivered) => {
      if (!delivered && generation === this.generation) {
        super.judgeProbe(probe, bad, this.now(), error);
      }
    });
  }

  protected override open(reason: StateChangeReason, now: number, error: unknown): void {
    const { generation } = this;
    super.open(reason, now, error);
    if (generation === this.generation || this.current !== 'open') return;
    this.fleet.opened(this.openTime.ladder(error, this.settings), reason === 'probe-failed');
  }

  protected override retryAfter(now: number): number | undefined {
    const own = super.retryAfter(now);
    return own === undefined || this.current !== 'half-open'
      ? own
      : Math.max(own, this.fleet.wait(now));
  }

  /** Reserves the place of a probe, and asks for its lease. */
  private request(now: number): Promise<ProbeRight> | undefined {
    const { fleet, settings } = this;
    if (this.current !== 'half-open' || this.overridden !== undefined) return undefined;
    if (!fleet.decides || fleet.wait(now) > 0) return undefined;
    if (!(this.probes ??= new Probes()).reserve(settings)) return undefined;
    return fleet.acquire({
      probes: settings.maxProbes,
      successes: settings.successThreshold,
      maxDuration: settings.maxProbeDuration,
    });
  }

  private async whenAnswered(
    answer: Promise<ProbeRight>,
    generation: number,
  ): Promise<Permit | undefined> {
    const right = await answer;
    const now = this.now();
    this.update(now);
    const stands = generation === this.generation;
    if (!stands || this.overridden !== undefined) {
      if (stands) this.probes!.end();
      if (right.type === 'leased') this.fleet.giveBack(right.token);
      return this.admit(now);
    }
    if (right.type === 'refused') {
      this.probes!.end();
      return undefined;
    }
    this.usedAt = now;
    const probe = this.issue(now, true, this.settings.maxProbeDuration);
    if (right.type === 'leased') this.leased.set(probe, right.token);
    return probe;
  }

  private askForLater(now: number): void {
    const { generation } = this;
    void this.request(now)?.then((right) => {
      const stands = generation === this.generation;
      if (stands) this.probes!.end();
      if (right.type !== 'leased') return;
      if (stands) this.fleet.keep(right.token);
      else this.fleet.giveBack(right.token);
    });
  }

  private shownOf({ state, by, reason, remainingMs }: SharedOverride): BreakerOverride {
    // Breakers have no state that is forced closed; a disabled one admits all calls too.
    const kind = state === 'forced-closed' ? 'disabled' : state;
    const until =
      remainingMs === undefined ? undefined : new Date(this.environment.clock.wall() + remainingMs);
    return { kind, by, reason, until };
  }
}

function isSame(one: BreakerOverride | undefined, other: BreakerOverride | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const apart = Math.abs((one.until?.getTime() ?? Infinity) - (other.until?.getTime() ?? Infinity));
  const sameEnd = one.until === other.until || apart < SAME_END;
  return one.kind === other.kind && one.by === other.by && one.reason === other.reason && sameEnd;
}
