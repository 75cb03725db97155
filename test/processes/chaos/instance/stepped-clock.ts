import type { Clock, Timer } from 'nest-resilience';

/** The clock of the machine, which can be moved. Timers take no notice. */
export class SteppedClock implements Clock {
  private time = 0;
  private wallTime = 0;

  /** @param time milliseconds, 0 at least: this one is monotonic */
  step(time: number, wall: number): void {
    this.time += time;
    this.wallTime += wall;
  }

  now(): number {
    return performance.now() + this.time;
  }

  wall(): number {
    return Date.now() + this.wallTime;
  }

  setTimer(callback: () => void, ms: number): Timer {
    const timer = setTimeout(callback, ms);
    return {
      cancel: () => clearTimeout(timer),
      ref: () => void timer.ref(),
      unref: () => void timer.unref(),
    };
  }
}
