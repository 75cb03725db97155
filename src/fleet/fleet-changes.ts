import { randomUUID } from 'node:crypto';
import { outsideOfCalls } from '../common/async-context.js';
import type { Timer } from '../common/clock.js';
import { show } from '../common/printable.js';
import type { Answer, ChangesAdopter, ChangesHost, Step } from './changes-host.js';
import {
  type ChangeDocument,
  type Writing,
  LIMITS,
  decode,
  encode,
  fitting,
  latest,
  united,
} from './change-document.js';
import { Complaints } from './complaints.js';
import {
  type FleetChange,
  areSameInAnyOrder,
  isIn,
  isRevocation,
  standing,
  withChange,
} from './fleet-change.js';
import { SeenChanges } from './seen-changes.js';
import type { FleetChangeView } from './snapshot.js';
import type { ResilienceStore, FleetSettings as StoredSettings } from './store.js';

/** How long it stays known that changes were reverted, and by whom, milliseconds. */
const REVOCATION_STAYS = 3_600_000;

/** How often a change is rewritten when another instance has made one at the same moment; after that, in the next round. */
const TRIES = 5;

const NOTHING: ChangeDocument = { life: '', version: 0, changes: [], gone: [] };

/**
 * The changes of options for the whole fleet: those in the store, and those of this instance that are on their way there.
 *
 * The store keeps one document. It is replaced by compare-and-set: an instance that has read the newest one adds a change to it.
 */
export class FleetChanges {
  private known = NOTHING;
  /** The store's revision; 0 while it has no document. */
  private revision = 0;
  /** Made here; the store has not confirmed them yet. */
  private pending: readonly FleetChange[] = [];
  private readonly seen = new SeenChanges();
  private adopter: ChangesAdopter | undefined = undefined;
  private timer: Timer | undefined = undefined;
  private readAt = -Infinity;
  /** The store may have a newer document than the one that is known. */
  private outdated = true;
  private syncing: Promise<void> | undefined = undefined;
  private again = false;
  private running = false;
  private readonly complaints: Complaints;

  constructor(private readonly host: ChangesHost) {
    this.complaints = new Complaints((message) => host.log(message));
  }

  /** The changes in force, in the order in which they were made. */
  get current(): readonly FleetChange[] {
    const all = this.pending.reduce(withChange, this.known.changes);
    return standing(all, this.host.clock.now());
  }

  /** Whether something waits for the store. */
  get busy(): boolean {
    return this.outdated || this.pending.length > 0;
  }

  /** Whether the store is away, so that the others hear of a change only later. */
  get isAway(): boolean {
    return !this.host.guard.available;
  }

  /** The changes in force, for operators; without those that only revert others. */
  shown(): FleetChangeView[] {
    const now = this.host.clock.now();
    const changes = this.current.filter((change) => !isRevocation(change));
    return changes.map((change) => {
      const { id, target, patch, by, reason, endsAt } = change;
      return {
        id,
        target,
        patch: this.adopter?.told(patch) ?? null,
        by,
        reason,
        remainingMs: endsAt === Infinity ? undefined : Math.ceil(endsAt - now),
        inForce: this.adopter?.has(change) ?? false,
        pending: isIn(change, this.pending),
      };
    });
  }

  attach(adopter: ChangesAdopter): void {
    this.adopter = adopter;
  }

  start(): void {
    this.running = true;
  }

  /** A change of this instance, not made yet. @param forMs how long it lasts; `Infinity` if it stays */
  draft(
    change: Pick<FleetChange, 'target' | 'patch' | 'by' | 'reason'>,
    forMs: number,
  ): FleetChange {
    const drafted = { ...change, id: randomUUID(), endsAt: Infinity };
    const stands = isRevocation(drafted) ? REVOCATION_STAYS : forMs;
    return { ...drafted, endsAt: this.host.clock.now() + stands };
  }

  /** Whether the fleet can keep one more change. */
  hasRoomFor(change: FleetChange): boolean {
    return fitting(withChange(this.current, change), this.host.clock.now()) !== undefined;
  }

  /** The change is in force from now on; {@link send} informs the others. */
  queue(change: FleetChange): void {
    this.pending = [...this.pending, change];
    this.seen.add([change]);
  }

  /** Reverts a change that could not be made here. */
  withdraw(change: FleetChange): void {
    this.pending = this.pending.filter((each) => each !== change);
  }

  /** Sends the changes that are in force here to the others. */
  send(): void {
    this.adopt();
    void this.sync();
  }

  /** The document of the store may have changed. */
  invalidate(): void {
    this.outdated = true;
  }

  /** Reads the document if it may have changed, and writes what is waiting. Never rejects. */
  sync(): Promise<void> {
    this.again = true;
    this.syncing ??= this.run().finally(() => {
      this.syncing = undefined;
    });
    return this.syncing;
  }

  close(): void {
    this.running = false;
    this.timer?.cancel();
  }

  /** Sends what is still waiting when the application has closed. */
  async flush(store: ResilienceStore): Promise<void> {
    if (this.pending.length > 0) await this.readAndWrite((step) => step(store));
  }

  private async run(): Promise<void> {
    const { guard, clock, freshFor } = this.host;
    while (this.again && guard.available && this.running) {
      this.again = false;
      if (!this.busy && clock.now() < this.readAt + freshFor) return;
      try {
        await this.readAndWrite((step) => this.ask(step));
      } catch (error) {
        // The next round tries again.
        this.complaints.add(`the changes for the fleet cannot be exchanged: ${show(error)}`);
      }
    }
    if (this.busy) this.host.hurry();
  }

  private async readAndWrite(ask: (step: Step) => Promise<Answer | undefined>): Promise<void> {
    this.outdated = false;
    const answer = await ask(async (store) => ({ stored: await store.settings() }));
    if (answer === undefined) return;
    this.readAt = this.host.clock.now();
    let { stored } = answer;
    for (let tries = 0; tries < TRIES; tries++) {
      const writing = this.merged(stored);
      if (writing === undefined) return;
      const text = encode(writing.document, this.host.clock.now());
      const { revision } = this;
      const reply = await ask(async (store) => ({
        stored: await store.changeSettings(revision, text),
      }));
      // It may still have been written: the next round shows it.
      if (reply === undefined) return;
      ({ stored } = reply);
      if (stored?.changed === true) return this.written(writing, stored.revision);
    }
    this.outdated = true;
  }

  /** @returns `undefined` when there is no answer, or nothing waits for it any more */
  private async ask(step: Step): Promise<Answer | undefined> {
    const { guard, backgroundTimeout } = this.host;
    const answer = await guard.ask(step, backgroundTimeout);
    if (!this.running) return undefined;
    if (answer === undefined) this.outdated = true;
    return answer;
  }

  /**
   * Takes over the document of the store.
   *
   * @returns `undefined` when nothing is missing in it
   */
  private merged(stored: StoredSettings | undefined): Writing | undefined {
    const now = this.host.clock.now();
    this.revision = stored?.revision ?? 0;
    const given = this.documentOf(stored, now);
    if (given === undefined) return undefined;
    const { known } = this;
    const isNewer = given.life === known.life && given.version > known.version;
    // A store that has lost changes, and perhaps received others since, gets those that are known here.
    const { changes: all, gone } =
      isNewer || known.version === 0 ? given : united(known, given, this.seen);
    this.pending = standing(this.pending, now).filter(
      (change) => !isIn(change, given.changes) && !gone.includes(change.id),
    );
    this.seen.add(given.changes);
    const wanted = this.withPending(all, now);
    const isComplete = areSameInAnyOrder(wanted, standing(given.changes, now));
    if (isComplete) this.pending = [];
    const told = this.pending;
    const life = given.life === '' ? known.life : given.life;
    const version = Math.max(known.version, given.version);
    this.known = { life, version, changes: isComplete ? given.changes : standing(all, now), gone };
    this.adopt();
    if (isComplete) return undefined;
    const lost = standing([...given.changes, ...all, ...told], now).filter(
      (change) => !isIn(change, wanted),
    );
    const document = {
      life: given.life || randomUUID(),
      version: version + 1,
      changes: wanted,
      gone: latest([...gone, ...lost.map(({ id }) => id)]),
    };
    return { document, told };
  }

  /** @returns `undefined` for a text that cannot be read, when nothing has to be written */
  private documentOf(stored: StoredSettings | undefined, now: number): ChangeDocument | undefined {
    if (stored === undefined || stored.revision === 0) return NOTHING;
    const document = decode(stored.settings, now - stored.ageMs);
    if (document !== undefined) return document;
    this.complaints.add(
      'the store has settings that cannot be read; the next change replaces them',
    );
    return this.pending.length > 0 ? NOTHING : undefined;
  }

  /** The changes with those of this instance; those that no longer fit are given up. */
  private withPending(changes: readonly FleetChange[], now: number): readonly FleetChange[] {
    let all = fitting(changes, now) ?? changes;
    for (const change of this.pending) {
      const more = fitting(withChange(all, change), now);
      if (more !== undefined) all = more;
      else {
        this.pending = this.pending.filter((each) => each !== change);
        this.host.log(
          `the change of ${show(change.target)} for the fleet is given up: there are too many others (at most ${LIMITS})`,
        );
      }
    }
    return all;
  }

  private written({ document, told }: Writing, revision: number): void {
    this.known = document;
    this.revision = revision;
    this.pending = this.pending.filter((change) => !isIn(change, told));
    this.adopt();
  }

  private adopt(): void {
    const { clock } = this.host;
    const { current } = this;
    this.timer?.cancel();
    if (!this.running) return;
    const next = Math.min(...current.map(({ endsAt }) => endsAt));
    if (next !== Infinity) {
      const ms = next - clock.now();
      this.timer = outsideOfCalls(() => clock.setTimer(() => this.adopt(), ms));
      this.timer.unref();
    }
    try {
      this.adopter?.adopt(current);
    } catch (error) {
      this.complaints.add(`the changes for the fleet cannot be carried out: ${show(error)}`);
    }
  }
}
