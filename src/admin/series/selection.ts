import {
  type BreakerPart,
  type BulkheadPart,
  type Member,
  type Parts,
  type RateLimitPart,
  groupOf,
  membersOf,
} from '../views/parts.js';
import { Ranking, limitRankOf, rankOf } from '../views/rank.js';
import type { Views } from '../views/views.js';

/** How many parts that are not by key are shown of each kind. */
const MOST = 1_000;

/** The parts that are watched: all that are not by key, and of those by key the ones in trouble, as far as there is room. */
export class Selection {
  breakers: ReadonlyMap<string, Member<BreakerPart>> = new Map();
  bulkheads: ReadonlyMap<string, Member<BulkheadPart>> = new Map();
  rateLimits: ReadonlyMap<string, Member<RateLimitPart>> = new Map();

  constructor(
    private readonly parts: Parts,
    private readonly maxKeys: number,
    private readonly views: Pick<Views, 'breakers' | 'rateLimits'>,
  ) {}

  /** Chooses again, in turns; nothing is remembered of breakers that are not chosen. */
  async renew(): Promise<void> {
    const { breakers, bulkheads, rateLimits } = this.parts;
    this.breakers = await this.choose(membersOf(breakers), rankOf);
    this.views.breakers.retain(this.breakers);
    this.bulkheads = await this.choose(membersOf(bulkheads), (part) => {
      const { waiting, running, maxConcurrent } = part.snapshot();
      if (waiting > 0) return 0;
      return running >= maxConcurrent ? 1 : 2;
    });
    this.rateLimits = await this.choose(membersOf(rateLimits), (part) =>
      limitRankOf(this.views.rateLimits.view(part)),
    );
  }

  /** A breaker that has changed: also one by key that was not chosen, as long as there is room. */
  breakerOf(name: string): Member<BreakerPart> | undefined {
    const known = this.breakers.get(name);
    if (known !== undefined) return known;
    const { breakers } = this.parts;
    if (this.breakers.size >= MOST + this.maxKeys || !breakers.has(name)) return undefined;
    const part = breakers.get(name);
    const group = groupOf(breakers, name);
    if (group !== undefined && (part.state === 'closed' || this.keyed >= this.maxKeys)) {
      return undefined;
    }
    const member = { part, group };
    this.breakers = new Map(this.breakers).set(name, member);
    return member;
  }

  private get keyed(): number {
    let keyed = 0;
    for (const { group } of this.breakers.values()) if (group !== undefined) keyed += 1;
    return keyed;
  }

  private async choose<Part extends { readonly name: string }>(
    members: AsyncIterable<Member<Part>>,
    rank: (part: Part) => number,
  ): Promise<ReadonlyMap<string, Member<Part>>> {
    const chosen: Member<Part>[] = [];
    const keyed = new Ranking<Member<Part>>();
    for await (const member of members) {
      if (member.group !== undefined) keyed.add(member, rank(member.part));
      else if (chosen.length < MOST) chosen.push(member);
    }
    chosen.push(...keyed.all.slice(0, this.maxKeys));
    return new Map(chosen.map((member) => [member.part.name, member]));
  }
}
