import type { Duration } from '../common/duration.js';
import { look } from '../common/outcomes/look.js';
import type { OptionsReader } from '../common/options-reader.js';
import type { ResilienceStore } from './store.js';

/** How an instance takes part in a fleet. All options have defaults that fit up to a thousand instances. */
export interface FleetOptions {
  /** The name of this instance for operators; unique per process and start. Default: host, process id and a random part. */
  readonly instanceId?: string;
  /** The version of the application, for operators. Default: that of its package, if npm has started it; otherwise none. */
  readonly version?: string;
  /** How often the state of all shared circuits is read while all of them are closed. Default 15 s, ± 20 %. */
  readonly pollInterval?: Duration;
  /** The same while one of them is not closed, or the store is away. Default 1 s, ± 20 %. */
  readonly activePollInterval?: Duration;
  /** The longest that a call waits for the store; then it goes on without it. Default 50 ms. */
  readonly callTimeout?: Duration;
  /** How long a call of the store in the background may take. Default 250 ms. */
  readonly backgroundTimeout?: Duration;
}

/** Durations in milliseconds, everything checked. */
export interface FleetSettings {
  readonly instanceId: string | undefined;
  readonly version: string | undefined;
  readonly pollInterval: number;
  readonly activePollInterval: number;
  readonly callTimeout: number;
  readonly backgroundTimeout: number;
}

export function readFleetOptions(read: OptionsReader<FleetOptions>): FleetSettings {
  const settings: FleetSettings = {
    instanceId: read.unicodeText('instanceId'),
    version: read.text('version') ?? (process.env.npm_package_version || undefined),
    pollInterval: read.duration('pollInterval', { above: 0 }) ?? 15_000,
    activePollInterval: read.duration('activePollInterval', { above: 0 }) ?? 1_000,
    callTimeout: read.duration('callTimeout', { above: 0 }) ?? 50,
    backgroundTimeout: read.duration('backgroundTimeout', { above: 0 }) ?? 250,
  };
  if (settings.activePollInterval > settings.pollInterval) {
    read.contradiction(
      `fleet.activePollInterval (${settings.activePollInterval} ms) is longer than fleet.pollInterval (${settings.pollInterval} ms), so an open circuit would be read less often than a closed one`,
    );
  }
  read.done();
  return settings;
}

const METHODS = [
  'circuit',
  'circuits',
  'limit',
  'places',
  'heartbeat',
  'instances',
  'leave',
  'settings',
  'changeSettings',
  'subscribe',
  'close',
] as const satisfies readonly (keyof ResilienceStore)[];

export function isStore(value: unknown): value is ResilienceStore {
  return METHODS.every((method) => typeof look(value, method) === 'function');
}
