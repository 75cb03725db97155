import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../../sample/launcher/src/net.js';
import type { ActiveAlert, OwnPrometheus } from './own-prometheus.js';

const EVERY_MS = 250;

/** Watches the alerts, and reports each change. */
export class Watch {
  private readonly active = new Map<string, ActiveAlert['state']>();
  private over = false;
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly prometheus: OwnPrometheus,
    private readonly tell: (change: string) => void,
  ) {}

  begin(): void {
    this.watching = this.watch();
    this.watching.catch(() => {}); // heard at the end
  }

  /** @throws when prometheus has not answered */
  async end(): Promise<void> {
    this.over = true;
    await this.watching;
  }

  /** Waits until all of these fire. @returns false if that takes too long */
  allFire(alerts: readonly string[], timeoutMs: number): Promise<boolean> {
    return this.comes(
      () => alerts.every((alert) => this.active.get(alert) === 'firing'),
      timeoutMs,
    );
  }

  /** Waits until no alert is pending or firing. @returns false if that takes too long */
  noneIsActive(timeoutMs: number): Promise<boolean> {
    return this.comes(() => this.active.size === 0, timeoutMs);
  }

  private comes(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return until('alerts change', condition, { timeoutMs, everyMs: EVERY_MS }).then(
      () => true,
      () => false,
    );
  }

  private async watch(): Promise<void> {
    while (!this.over) {
      this.compare(await this.prometheus.alerts());
      await sleep(EVERY_MS);
    }
  }

  private compare(alerts: readonly ActiveAlert[]): void {
    const now = new Map(alerts.map(({ alert, state }) => [alert, state]));
    for (const [alert, state] of now) {
      if (this.active.get(alert) === state) continue;
      this.active.set(alert, state);
      this.tell(`${alert} ${state === 'firing' ? 'fires' : 'is pending'}`);
    }
    for (const [alert, state] of this.active) {
      if (now.has(alert)) continue;
      this.active.delete(alert);
      this.tell(`${alert} ${state === 'firing' ? 'is resolved' : 'is no longer pending'}`);
    }
  }
}
