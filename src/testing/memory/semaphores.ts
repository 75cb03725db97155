import { span } from '../../fleet/spans.js';
import type { PlacesReply, PlacesStep } from '../../fleet/store.js';

interface Semaphore {
  /** Deadlines by token. */
  readonly leases: Map<string, number>;
  /** Releases are published until then, because a caller waits. */
  awaitedUntil: number;
}

/** The semaphores of a {@link MemoryStore}. */
export class MemorySemaphores {
  private readonly semaphores = new Map<string, Semaphore>();

  constructor(
    private readonly now: () => number,
    private readonly freed: (name: string) => void,
  ) {}

  step(name: string, step: PlacesStep): PlacesReply {
    const semaphore: Semaphore = this.semaphores.get(name) ?? {
      leases: new Map(),
      awaitedUntil: 0,
    };
    const { leases } = semaphore;
    for (const [token, until] of leases) if (until <= this.now()) leases.delete(token);
    const reply = this.make(name, semaphore, step);
    if (leases.size > 0 || semaphore.awaitedUntil > this.now())
      this.semaphores.set(name, semaphore);
    else this.semaphores.delete(name);
    return reply;
  }

  clear(): void {
    this.semaphores.clear();
  }

  private make(name: string, semaphore: Semaphore, step: PlacesStep): PlacesReply {
    const { leases } = semaphore;
    const now = this.now();
    switch (step.type) {
      case 'acquire': {
        if (leases.size < step.limit || leases.has(step.token)) {
          leases.set(step.token, now + span(step.leaseMs));
          return { granted: true, inUse: leases.size };
        }
        // A waiting caller asks again when a lease ends, at the latest.
        semaphore.awaitedUntil = now + 2 * span(step.leaseMs);
        const first = Math.min(...leases.values());
        const retryAfterMs = leases.size === 0 ? span(step.leaseMs) : Math.ceil(first - now);
        return { granted: false, inUse: leases.size, retryAfterMs };
      }
      case 'renew': {
        const lost = step.tokens.filter((token) => !leases.has(token));
        for (const token of step.tokens) {
          if (leases.has(token)) leases.set(token, now + span(step.leaseMs));
        }
        return { granted: lost.length === 0, inUse: leases.size, lost };
      }
      case 'release': {
        const granted = leases.delete(step.token);
        if (granted && now < semaphore.awaitedUntil) this.freed(name);
        return { granted, inUse: leases.size };
      }
    }
  }
}
