import type { StateChangeReason } from '../telemetry/events.js';
import type { Clock } from '../common/clock.js';
import { KeptLease } from './kept-lease.js';
import type { FleetSettings } from './options.js';
import type { Outbox } from './outbox.js';
import { HeldOverride, isSameDecision, sharedOf } from './overrides.js';
import type {
  CircuitMember,
  ProbeLimits,
  ProbeRight,
  SharedCircuit,
  TimedOverride,
} from './shared-circuit.js';
import type { StoreGuard } from './store-guard.js';
import type { CircuitReply, CircuitStep, CircuitView } from './store.js';

/** The part of an instance that its shared circuits use. */
export interface FleetServices {
  readonly clock: Clock;
  readonly guard: StoreGuard;
  readonly outbox: Outbox;
  readonly instanceId: string;
  readonly settings: FleetSettings;
  /** A time around `ms`: instances should not all do the same at the same moment. */
  jittered(ms: number): number;
  /** A name that no other lease has. */
  token(): string;
  /** Something is not closed: the state has to be read soon. */
  hurry(): void;
  leave(circuit: FleetCircuit): void;
}

/** After this many polls in a row with an older epoch, the store has lost its newest writes, as after a failover. */
const STEPS_BACK = 2;

const ALONE: ProbeRight = { type: 'alone' };
const REFUSED: ProbeRight = { type: 'refused' };

/** One shared circuit of this instance: what the fleet has agreed on, as far as it is known here. */
export class FleetCircuit implements SharedCircuit {
  private known: CircuitView | undefined = undefined;
  private readonly held = new HeldOverride();
  /** Whether only its own decision keeps the circuit from being closed: it stays so until it closes by its own rules. */
  private alone = false;
  /** Whether the news that the circuit has opened is being sent to the fleet. */
  private tripping = false;
  private askAt = -Infinity;
  private stepsBack = 0;
  /** The change that a probe of this instance is about to cause. */
  private expected: { readonly state: string; readonly reason: StateChangeReason } | undefined =
    undefined;
  private readonly kept: KeptLease;

  constructor(
    readonly member: CircuitMember,
    private readonly services: FleetServices,
  ) {
    this.kept = new KeptLease(services.clock, (token) => this.giveBack(token));
  }

  get name(): string {
    return this.member.name;
  }

  get decides(): boolean {
    return !this.alone && !this.away;
  }

  get away(): boolean {
    return !this.services.guard.available;
  }

  /** Whether the state may change soon. */
  get unsettled(): boolean {
    return this.member.state !== 'closed';
  }

  wait(now: number): number {
    return Math.max(0, this.askAt - now);
  }

  /** Takes over what the store says of the circuit, unless it is old. */
  receive(view: CircuitView): void {
    if (view.incarnation === '') return this.forget();
    const { known } = this;
    const same = known?.incarnation === view.incarnation;
    if (!same) this.apply(view, false);
    else if (view.epoch > known.epoch) this.apply(view, true);
  }

  /**
   * The same for an answer of a poll.
   *
   * @param afresh after the store was away: a circuit that is open for the fleet replaces what was decided here meanwhile
   */
  polled(view: CircuitView | undefined, afresh: boolean): void {
    // The next instance to poll that holds a lost override sends it again, unless an operator here has made a new decision.
    const lost = this.held.lostIn(view, this.services.clock.now());
    if (lost !== undefined && !this.services.outbox.has(this.overrideKey)) this.tell(lost, true);
    if (view === undefined) return this.forget();
    const { known } = this;
    const same = known?.incarnation === view.incarnation;
    this.stepsBack = same && view.epoch < known.epoch ? this.stepsBack + 1 : 0;
    if (this.stepsBack >= STEPS_BACK || (same && afresh && view.epoch === known.epoch)) {
      this.stepsBack = 0;
      this.apply(view, false);
    } else {
      this.receive(view);
    }
  }

  async acquire({ probes, successes, maxDuration }: ProbeLimits): Promise<ProbeRight> {
    const { settings, clock } = this.services;
    const token = this.services.token();
    // A probe that hangs is judged at one of the next polls, while its lease is still valid.
    const leaseMs = maxDuration + 2 * settings.activePollInterval;
    const step = { type: 'acquire', token, probes, successes, leaseMs } as const;
    const reply = await this.step(step, settings.callTimeout, (late) => {
      if (isLease(late)) this.giveBack(token);
      this.receive(late.view);
    });
    if (reply === undefined) return ALONE;
    this.receive(reply.view);
    if (isLease(reply)) return { type: 'leased', token };
    if (reply.view.state === 'closed') {
      // The fleet knows nothing against the dependency, this instance does.
      this.alone = true;
      return ALONE;
    }
    const { retryAfterMs = Infinity } = reply;
    const longest = this.services.jittered(settings.activePollInterval);
    this.askAt = clock.now() + Math.min(retryAfterMs, longest);
    return REFUSED;
  }

  take(): string | undefined {
    return this.kept.take();
  }

  keep(token: string): void {
    this.kept.keep(token);
  }

  giveBack(token: string): void {
    void this.settled({ token, outcome: 'void', successes: 1, openMs: [] });
  }

  async settle(
    token: string,
    outcome: 'success' | 'failure',
    successes: number,
    openMs: readonly number[],
  ): Promise<boolean> {
    this.expected =
      outcome === 'success'
        ? { state: 'closed', reason: 'probes-succeeded' }
        : { state: 'open', reason: 'probe-failed' };
    const told = await this.settled({ token, outcome, successes, openMs });
    this.expected = undefined;
    return told;
  }

  opened(openMs: readonly number[], byProbe: boolean): void {
    this.alone = true;
    this.services.hurry();
    // A failed probe of one's own is another vote, but does not reopen the circuit of the others again and again.
    if (!byProbe || this.member.quorum !== undefined) void this.trip(openMs);
  }

  overridden(override: TimedOverride | undefined): void {
    if (override === undefined) this.held.forget();
    this.tell(override, false);
  }

  reset(): void {
    this.services.outbox.put(this.resetKey, () => this.deliver({ type: 'reset' }));
  }

  leave(): void {
    const token = this.take();
    if (token !== undefined) this.giveBack(token);
    this.services.leave(this);
  }

  /** The instance ends: no timer stays. */
  close(): void {
    this.take();
  }

  private get overrideKey(): string {
    return `override ${this.name}`;
  }

  private get resetKey(): string {
    return `reset ${this.name}`;
  }

  /** @param continues whether it continues the known state of the same circuit */
  private apply(view: CircuitView, continues: boolean): void {
    const { outbox } = this.services;
    const stands = isSameDecision(this.known, view);
    this.known = view;
    const now = this.services.clock.now();
    if (this.held.lostIn(view, now) === undefined) {
      this.held.keep(view, now);
      // An operator's decision here is newer, even if the store has not heard of it yet.
      if (!outbox.has(this.overrideKey)) this.member.adoptOverride(view.override);
    }
    if (!outbox.has(this.resetKey)) this.applyState(view, continues && (stands || !this.alone));
  }

  /** @param agreed whether the fleet closes a circuit that it knows to be open, or an operator does */
  private applyState(view: CircuitView, agreed: boolean): void {
    const { member, expected } = this;
    const { state } = member;
    const to = view.state === 'open' && view.remainingMs <= 0 ? 'half-open' : view.state;
    if (to !== 'closed') this.services.hurry();
    else if (state !== 'closed' && (!agreed || this.tripping)) {
      this.alone = true;
      return;
    }
    this.alone = false;
    this.askAt = -Infinity;
    member.adopt(to, view, expected?.state === to ? expected.reason : 'fleet');
  }

  /** The store does not know the circuit, or no longer: a circuit that is open here stays so until its time. */
  private forget(): void {
    if (this.known === undefined) return;
    this.known = undefined;
    this.alone = this.member.state !== 'closed';
  }

  private async trip(openMs: readonly number[]): Promise<void> {
    if (this.tripping) return;
    this.tripping = true;
    const { instanceId, settings } = this.services;
    const { quorum } = this.member;
    // Once more if the instance did not know the newest epoch, or the store has hiccupped.
    for (let tries = 0; tries < 2 && this.member.state === 'open' && this.alone; tries++) {
      const { epoch, incarnation } = this.known ?? { epoch: 0, incarnation: '' };
      const step = { type: 'trip', epoch, incarnation, instanceId, openMs } as const;
      const reply = await this.step(
        { ...step, ...(quorum && { quorum }) },
        settings.backgroundTimeout,
      );
      if (reply === undefined) continue;
      this.receive(reply.view);
      const known = reply.view.epoch === epoch && reply.view.incarnation === incarnation;
      if (reply.granted || known) break;
    }
    this.tripping = false;
  }

  private async settled(
    probe: Omit<Extract<CircuitStep, { type: 'settle' }>, 'type' | 'failures'>,
  ): Promise<boolean> {
    const { backgroundTimeout } = this.services.settings;
    const reply = await this.step({ type: 'settle', failures: 0, ...probe }, backgroundTimeout);
    if (reply !== undefined) this.receive(reply.view);
    return reply !== undefined;
  }

  /** @param restores whether it is one that the store has lost */
  private tell(override: TimedOverride | undefined, restores: boolean): void {
    const { outbox, clock } = this.services;
    outbox.put(this.overrideKey, async () => {
      const shared = sharedOf(override, clock.now());
      if (!restores) return this.deliver({ type: 'override', override: shared });
      if (shared === undefined) return () => {}; // its time is over
      return this.deliver({ type: 'override', override: shared, restores });
    });
  }

  private async deliver(step: CircuitStep): Promise<(() => void) | undefined> {
    const reply = await this.step(step, this.services.settings.backgroundTimeout);
    return reply && (() => this.receive(reply.view));
  }

  private step(
    step: CircuitStep,
    budgetMs: number,
    late?: (reply: CircuitReply) => void,
  ): Promise<CircuitReply | undefined> {
    return this.services.guard.ask((store) => store.circuit(this.name, step), budgetMs, late);
  }
}

function isLease({ granted, view }: CircuitReply): boolean {
  return granted && view.state !== 'closed';
}
