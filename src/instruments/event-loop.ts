import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often it is measured, milliseconds; included in what Node reports. */
const RESOLUTION = 20;

/** The quantiles that are shown; 1 is the maximum. */
export const QUANTILES = [0.5, 0.99, 1] as const;

/** How late the event loop is: a busy one makes every call slow, and every timeout late. */
export class EventLoopLag {
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });

  start(): void {
    this.delays.enable();
  }

  stop(): void {
    this.delays.disable();
  }

  /** Seconds by quantile since the last call. */
  take(): readonly (readonly [quantile: string, seconds: number])[] {
    const taken = QUANTILES.map((quantile) => [String(quantile), this.at(quantile)] as const);
    this.delays.reset();
    return taken;
  }

  private at(quantile: number): number {
    const { delays } = this;
    if (delays.count === 0) return 0;
    const nanoseconds = quantile === 1 ? delays.max : delays.percentile(quantile * 100);
    return Math.max(0, nanoseconds / 1e6 - RESOLUTION) / 1_000;
  }
}
