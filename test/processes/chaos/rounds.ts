import { setTimeout as sleep } from 'node:timers/promises';
import { converge, CONVERGES_WITHIN, type Held } from './convergence.js';
import { VOTE } from './limits.js';
import { TROUBLES, type Place, type Trouble } from './troubles.js';

/** Troubles one after the other, or two at a time; after each the instances must agree again. */
export class Rounds {
  private readonly took: number[] = [];
  private readonly counts = new Map<string, number>();
  private held: Held = { by: undefined, certain: true };
  private decider: string | undefined;
  private fails = false;
  private decisions = 0;
  private coming: string[] = [];

  constructor(
    private readonly place: Place,
    private readonly kinds: readonly string[] = Object.keys(TROUBLES),
  ) {}

  /** Waits until nothing is wrong. */
  async settle(): Promise<void> {
    await this.agreed('the start');
    this.place.book.note({ type: 'calm' });
  }

  async play(): Promise<void> {
    const { dice, book, report, fleet } = this.place;
    const troubles = this.next();
    const what = troubles.map(({ name }) => name).join('; ');
    report.progress(what);
    for (const { name } of troubles) book.note({ type: 'trouble', name, begins: true });
    await Promise.all([
      ...troubles.map(async (trouble) => {
        await sleep(dice.between(0, 500));
        await trouble.begin();
        await sleep(dice.between(200, 2_500));
        await trouble.end();
      }),
      this.outage(),
      this.decision(),
    ]);
    for (const { name } of troubles) book.note({ type: 'trouble', name, begins: false });
    await this.agreed(what);
    if (this.fails) {
      this.fails = false;
      fleet.outage(false);
      await this.agreed(`an outage after that: ${what}`);
    }
    await this.letGo();
    book.note({ type: 'calm' });
    await sleep(dice.between(100, 1_500));
    if (dice.chance(0.4)) await this.calmOutage();
    if (dice.chance(0.2)) await this.loneOutage();
  }

  conclude(): void {
    const sorted = [...this.took].sort((one, other) => one - other);
    const [median, longest] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    const kinds = [...this.counts.values()];
    this.place.report.check(
      'after each trouble and outage',
      `the same state everywhere within ${CONVERGES_WITHIN} ms (two polls, an open time)`,
      true,
      `${sorted.length} times, median ${Math.round(median ?? 0)} ms, longest ${Math.round(longest ?? 0)} ms`,
    );
    const troubles = kinds.reduce((sum, count) => sum + count, 0);
    const missing = this.kinds.filter((kind) => !this.counts.has(kind));
    const least = missing.length > 0 ? 0 : Math.min(...kinds);
    this.place.report.check(
      'troubles',
      'each kind once before any comes again',
      troubles > 0 && Math.max(...kinds) - least <= 1,
      `${troubles} troubles of ${this.counts.size} kinds${missing.length > 0 ? `; not: ${missing.join()}` : ''}`,
    );
  }

  /** One trouble or two; each kind once before any comes again. */
  private next(): Trouble[] {
    const { dice } = this.place;
    const troubles: Trouble[] = [];
    const many = dice.chance(0.3) ? 2 : 1;
    while (troubles.length < many) {
      if (this.coming.length === 0) this.coming = dice.shuffled(this.kinds);
      const kind = this.coming.shift()!;
      const trouble = TROUBLES[kind]!(this.place);
      if (troubles.some(({ of }) => of === trouble.of)) {
        this.coming.push(kind);
        break;
      }
      troubles.push(trouble);
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    }
    return troubles;
  }

  /** The dependency fails meanwhile, and perhaps recovers. */
  private async outage(): Promise<void> {
    const { dice, fleet } = this.place;
    if (dice.chance(0.4)) return;
    await sleep(dice.between(0, 1_500));
    this.fails = true;
    fleet.outage(true);
    await sleep(dice.between(100, 1_500));
    if (dice.chance(0.5)) return;
    this.fails = false;
    fleet.outage(false);
  }

  /** An operator holds a circuit open meanwhile, at one instance. If that one dies, perhaps no other has heard of it. */
  private async decision(): Promise<void> {
    const { dice, fleet } = this.place;
    if (dice.chance(0.5)) return;
    await sleep(dice.between(0, 1_500));
    const instance = dice.pick(fleet.instances);
    const by = `operator ${++this.decisions}`;
    instance.tell({ type: 'hold-open', by });
    const look = await instance.look();
    this.held = { by, certain: look?.heldBy === by };
    this.decider = instance.id;
  }

  private async letGo(): Promise<void> {
    const { dice, fleet } = this.place;
    if (this.held.by === undefined) return;
    dice.pick(fleet.instances).tell({ type: 'let-go' });
    this.held = { by: undefined, certain: true };
    await this.agreed('an operator lets a circuit go');
  }

  /** While nothing else is wrong. */
  private async calmOutage(): Promise<void> {
    const { dice, fleet, report } = this.place;
    report.progress('an outage without any trouble');
    fleet.outage(true);
    this.fails = true;
    await this.agreed('an outage without any trouble');
    await sleep(dice.between(200, 1_500));
    fleet.outage(false);
    this.fails = false;
    await this.agreed('the end of an outage without any trouble');
  }

  /** One instance alone cannot open a circuit that needs a quorum for the others, once older votes have expired. */
  private async loneOutage(): Promise<void> {
    const { book, dice, fleet, report } = this.place;
    await sleep(VOTE);
    const instance = dice.pick(fleet.instances);
    report.progress(`an outage that ${instance.id} alone sees`);
    book.note({ type: 'lone-outage', instance: instance.id });
    instance.outage(true);
    await sleep(dice.between(500, 2_000));
    instance.outage(false);
    book.note({ type: 'lone-outage', instance: undefined });
    await this.agreed('an outage that one instance alone sees');
  }

  private async agreed(after: string): Promise<void> {
    const { fleet, report } = this.place;
    const { fails } = this;
    const alive = fleet.instances.some(({ id }) => id === this.decider);
    const { by } = this.held;
    const held = { by, certain: this.held.certain && (by === undefined || alive) };
    const took = await converge(fleet, { fails, held });
    if (typeof took === 'number') return void this.took.push(took);
    report.progress(`NOT the same state everywhere after ${CONVERGES_WITHIN} ms: ${took}`);
    const expected = `all agree within ${CONVERGES_WITHIN} ms: ${fails ? 'open' : 'closed'}, held by ${held.certain ? by : 'the same'}`;
    report.check(after, expected, false, took);
    await converge(fleet, { fails, held: { by, certain: false } });
  }
}
