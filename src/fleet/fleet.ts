import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { outsideOfCalls } from '../common/async-context.js';
import { brand } from '../common/brand.js';
import type { Clock, Timer } from '../common/clock.js';
import { show } from '../common/printable.js';
import { quietly } from '../common/quietly.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { CheckedStore } from './checked-store.js';
import { Complaints } from './complaints.js';
import { FleetChanges } from './fleet-changes.js';
import { FleetCircuit, type FleetServices } from './fleet-circuit.js';
import { GuardedStore } from './guarded-store.js';
import { JITTER, jittered } from './jitter.js';
import type { FleetSettings } from './options.js';
import { Outbox } from './outbox.js';
import { Roster } from './roster.js';
import type { CircuitMember, FleetSite, SharedCircuit } from './shared-circuit.js';
import type { FleetSnapshot } from './snapshot.js';
import { StoreGuard } from './store-guard.js';
import { storeUsers } from './store-users.js';
import type { ResilienceStore, StoreMessage } from './store.js';
import { Subscription } from './subscription.js';

/** Injection token of the {@link Fleet}; `null` for an application without a store. */
export const FLEET = brand('Fleet');

/** The dependencies of a fleet. */
export interface FleetHost {
  readonly store: ResilienceStore;
  readonly settings: FleetSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  log(message: string, level?: 'log' | 'warn'): void;
}

/** An instance counts as alive for this many intervals of its heartbeat. */
const LIVES = 3;

/** A heartbeat is due after this share of its interval: turns come up to 20 % early. */
const DUE = 0.7;

/**
 * This instance's part in the fleet: it reports that it is alive, reads what the others have decided, and sends
 * them the decisions of operators here. All of it happens in the background.
 */
export class Fleet implements FleetSite {
  readonly instanceId: string;
  /** How many instances were alive at the last heartbeat, this one included; 0 until the first one. */
  living = 0;
  readonly store: GuardedStore;
  private readonly checked: CheckedStore;
  private readonly guard: StoreGuard;
  private readonly roster: Roster;
  /** The changes of options for the whole fleet. */
  readonly changes: FleetChanges;
  private readonly circuits = new Map<string, FleetCircuit>();
  private readonly outbox: Outbox;
  private readonly subscription: Subscription;
  private readonly services: FleetServices;
  private timer: Timer | undefined = undefined;
  private turnAt = Infinity;
  private beatenAt = -Infinity;
  private running = false;
  private closed = false;
  private turning = false;
  private turnAgain = false;
  /** Whether a circuit has joined that has not been read yet. */
  private unread = false;
  private tokens = 0;

  constructor(private readonly host: FleetHost) {
    const { store, settings, clock } = host;
    this.instanceId =
      settings.instanceId ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    const warn = (line: string): void => host.log(`store ${this.kind}: ${line}`, 'warn');
    this.checked = new CheckedStore(store, warn);
    this.guard = new StoreGuard(this.checked, clock, {
      degraded: (error) => this.tellDegraded(error),
      recovered: (ms) => this.tellRecovered(ms),
    });
    this.store = new GuardedStore(this.guard, {
      instanceId: this.instanceId,
      callTimeout: settings.callTimeout,
      backgroundTimeout: settings.backgroundTimeout,
      instances: () => this.living,
    });
    this.roster = new Roster({
      instanceId: this.instanceId,
      version: settings.version,
      clock,
      guard: this.guard,
      backgroundTimeout: settings.backgroundTimeout,
      members: () => Array.from(this.circuits.values(), ({ member }) => member),
    });
    this.outbox = new Outbox(() => warn('too many decisions wait for it; the oldest is dropped'));
    this.changes = new FleetChanges({
      clock,
      guard: this.guard,
      backgroundTimeout: settings.backgroundTimeout,
      freshFor: DUE * settings.pollInterval,
      hurry: () => this.hurry(),
      log: warn,
    });
    const complaints = new Complaints(warn);
    this.subscription = new Subscription(
      this.checked,
      (message) => this.hear(message),
      (error) =>
        complaints.add(
          `it refuses the subscription to messages, so changes by other instances are noticed only at the next poll: ${show(error)}`,
        ),
    );
    this.services = {
      clock,
      guard: this.guard,
      outbox: this.outbox,
      instanceId: this.instanceId,
      settings,
      jittered: (ms) => jittered(ms, host.random),
      token: () => `${this.instanceId}:${++this.tokens}`,
      hurry: () => this.hurry(),
      leave: (circuit) => {
        if (this.circuits.get(circuit.name) === circuit) this.circuits.delete(circuit.name);
      },
    };
  }

  /** The kind of store, such as `redis`. */
  get kind(): string {
    return this.host.store.kind;
  }

  /** Whether the store is away, so that shared parts act as if they were local. */
  get degraded(): boolean {
    return this.running && !this.guard.available;
  }

  /** The fleet for operators: its instances, and sums over all of them. It asks the store, at most once per second. */
  async snapshot(): Promise<FleetSnapshot> {
    const roster = await this.roster.snapshot(this.kind);
    return { ...roster, changes: this.changes.shown() };
  }

  join(member: CircuitMember): SharedCircuit {
    const circuit = new FleetCircuit(member, this.services);
    this.circuits.set(member.name, circuit);
    this.unread = true;
    this.hurry();
    return circuit;
  }

  /** Begins to take part; the application has been checked. */
  start(): void {
    if (this.running || this.closed) return;
    this.running = true;
    storeUsers.add(this.host.store);
    this.roster.start();
    this.changes.start();
    this.subscription.ensure();
    void this.turn();
  }

  /** Call it when the application closes: waits for nothing, and leaves no timer behind. */
  close(): void {
    if (this.closed) return;
    const { running, host } = this;
    const { available } = this.guard;
    this.closed = true;
    this.running = false;
    this.timer?.cancel();
    this.outbox.clear();
    for (const circuit of this.circuits.values()) circuit.close();
    this.guard.close();
    this.changes.close();
    this.subscription.close();
    if (!running) return storeUsers.closeUnused(host.store); // its start has failed
    const tellRest = (): Promise<void> => this.changes.flush(this.checked);
    if (available) void storeUsers.leave(host.store, this.instanceId, tellRest);
    else storeUsers.remove(host.store);
  }

  /** One round in the background: reads everything, sends what has to be sent, and reports that the instance is alive. */
  private async turn(): Promise<void> {
    this.turnAgain = true;
    if (this.turning) return;
    this.turning = true;
    this.timer?.cancel();
    try {
      while (this.turnAgain && this.running) {
        this.turnAgain = false;
        if (!(await this.read())) break;
        await this.outbox.flush();
        await this.changes.sync();
        this.subscription.ensure(true);
      }
    } catch {
      // Whatever happens, it must not end the rounds.
    } finally {
      this.turning = false;
      this.schedule();
    }
  }

  /** @returns whether the store is available */
  private async read(): Promise<boolean> {
    const { guard, host } = this;
    const { backgroundTimeout, pollInterval } = host.settings;
    this.unread = false;
    const afresh = !guard.available;
    // Only a write shows that a store is well again: a replica that takes none still answers questions.
    const beats = guard.troubled || host.clock.now() >= this.beatenAt + DUE * pollInterval;
    if (beats && !(await this.beat())) return false;
    const circuits = [...this.circuits.values()];
    if (circuits.length > 0) {
      const names = circuits.map(({ name }) => name);
      const views = await guard.try((store) => store.circuits(names), backgroundTimeout);
      if (views === undefined || !this.running) return false;
      circuits.forEach((circuit, i) => circuit.polled(views[i], afresh));
    }
    if (beats) guard.recover();
    return true;
  }

  private async beat(): Promise<boolean> {
    const { guard, host } = this;
    const { pollInterval, backgroundTimeout } = host.settings;
    const info = this.roster.info();
    const living = await guard.try(
      (store) => store.heartbeat(info, LIVES * pollInterval),
      backgroundTimeout,
    );
    if (living === undefined || !this.running) return false;
    this.living = living;
    this.beatenAt = host.clock.now();
    return true;
  }

  private hear(message: StoreMessage): void {
    switch (message.type) {
      case 'circuit':
        return this.circuits.get(message.name)?.receive(message.view);
      case 'settings':
        this.changes.invalidate();
        return void this.changes.sync();
      case 'reconnected':
        // Messages may have been lost, so nothing is certain before all has been read.
        this.changes.invalidate();
        // A store that is away is tried only at the set times: one whose connection comes and goes must not flap.
        return this.degraded ? undefined : void this.turn();
      case 'place':
        return this.store.placeFreed(message.name);
    }
  }

  private schedule(): void {
    if (!this.running) return;
    const { clock, random } = this.host;
    const ms = jittered(this.interval(), random);
    this.turnAt = clock.now() + ms;
    this.timer = outsideOfCalls(() => clock.setTimer(() => void this.turn(), ms));
    this.timer.unref();
  }

  private interval(): number {
    const { pollInterval, activePollInterval } = this.host.settings;
    if (this.guard.troubled) return this.guard.waitUpTo(activePollInterval, pollInterval);
    const busy = this.unread || this.outbox.size > 0 || this.changes.busy;
    const active = busy || [...this.circuits.values()].some(({ unsettled }) => unsettled);
    return active ? activePollInterval : pollInterval;
  }

  /** Something has changed: the next round comes as early as for an open circuit, unless the store has to be left alone. */
  private hurry(): void {
    if (!this.running || this.turning || this.degraded) return;
    const longest = (1 + JITTER) * this.host.settings.activePollInterval;
    if (this.turnAt <= this.host.clock.now() + longest) return;
    this.timer?.cancel();
    this.unread = true;
    this.schedule();
  }

  private tellDegraded(error: unknown): void {
    this.roster.degraded();
    quietly(() => this.host.events.emit({ type: 'store-degraded', name: this.kind, error }));
    // Calls have detected it: the next round may be far away.
    if (this.turning) return;
    this.timer?.cancel();
    this.schedule();
  }

  private tellRecovered(degradedForMs: number): void {
    this.roster.recovered();
    this.changes.invalidate();
    const event = { type: 'store-recovered', name: this.kind, degradedForMs } as const;
    quietly(() => this.host.events.emit(event));
  }
}
