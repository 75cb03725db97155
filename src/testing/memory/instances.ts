import { span } from '../../fleet/spans.js';
import type { InstanceInfo, LivingInstance } from '../../fleet/store.js';

interface Entry {
  readonly info: string;
  readonly heardAt: number;
  readonly until: number;
}

/** The living instances, for a {@link MemoryStore}. */
export class MemoryInstances {
  private readonly instances = new Map<string, Entry>();
  /** No instance's time ends before this. */
  private endsAt = Infinity;

  constructor(private readonly now: () => number) {}

  heartbeat(info: InstanceInfo, ttlMs: number): number {
    const heardAt = this.now();
    const until = heardAt + span(ttlMs);
    this.instances.set(info.id, { info: JSON.stringify(info), heardAt, until });
    this.endsAt = Math.min(this.endsAt, until);
    return this.count();
  }

  all(): LivingInstance[] {
    this.endOverdue();
    return [...this.instances.values()].map(({ info, heardAt }) => ({
      ...(JSON.parse(info) as InstanceInfo),
      silentMs: Math.floor(this.now() - heardAt),
    }));
  }

  leave(id: string): void {
    this.instances.delete(id);
  }

  count(): number {
    this.endOverdue();
    return this.instances.size;
  }

  clear(): void {
    this.instances.clear();
  }

  private endOverdue(): void {
    const now = this.now();
    if (now < this.endsAt) return;
    this.endsAt = Infinity;
    for (const [id, { until }] of this.instances) {
      if (until <= now) this.instances.delete(id);
      else this.endsAt = Math.min(this.endsAt, until);
    }
  }
}
