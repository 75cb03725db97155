import type { Meters } from '../instruments/meters.js';
import { type Applications, type Measured, type ReadAll, countKeys } from './applications.js';

/** The measurements of one application, in a place that several may share, until the application closes. */
export class ApplicationMetrics {
  /** @param histograms those that are not kept by the SDK */
  constructor(
    private readonly meters: Meters,
    private readonly applications: Applications,
    private readonly histograms: Measured['histograms'],
  ) {
    meters.listen();
  }

  /** Call it at the end of bootstrap. */
  start(): void {
    this.meters.start();
    this.applications.add(this.readAll);
  }

  async stop(): Promise<void> {
    this.meters.stop();
    await this.meters.settled();
    await this.applications.retire(this.readAll);
  }

  private readonly readAll: ReadAll = async () => {
    const { meters, histograms } = this;
    const readings = await meters.read();
    const series = { ...readings.series, ...meters.counters };
    return { counts: new Map(countKeys.map((key) => [key, series[key]])), histograms };
  };
}
