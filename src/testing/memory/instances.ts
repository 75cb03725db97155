import { span } from '../../fleet/spans.js';
import type { InstanceInfo } from '../../fleet/store.js';

/** Who is alive, for a {@link MemoryStore}. */
export class MemoryInstances {
  private readonly instances = new Map<string, { info: string; until: number }>();

  constructor(private readonly now: () => number) {}

  heartbeat(info: InstanceInfo, ttlMs: number): InstanceInfo[] {
    this.endOverdue();
    this.instances.set(info.id, { info: JSON.stringify(info), until: this.now() + span(ttlMs) });
    return [...this.instances.values()].map((entry) => JSON.parse(entry.info) as InstanceInfo);
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
    for (const [id, { until }] of this.instances) {
      if (until <= this.now()) this.instances.delete(id);
    }
  }
}
