import { randomBytes } from 'node:crypto';
import { span, votesNeeded } from '../fleet/spans.js';
import type {
  CircuitReply,
  CircuitStep,
  CircuitView,
  FleetSettings,
  InstanceInfo,
  LimitDecision,
  LimitRequest,
  LivingInstance,
  PlacesReply,
  PlacesStep,
  ResilienceStore,
  StoreMessage,
} from '../fleet/store.js';
import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type RedisDriver } from './driver.js';
import { type IoRedis, IoRedisDriver } from './ioredis.js';
import { Keys } from './keys.js';
import { Messages } from './messages.js';
import { type NodeRedis, NodeRedisDriver } from './node-redis.js';
import { type RedisClient, type RedisStoreOptions, readRedisStoreOptions } from './options.js';
import {
  readCircuit,
  readDecision,
  readInstances,
  readPlaces,
  readSettings,
  readView,
  texts,
} from './replies.js';
import { STEP, VIEWS } from './scripts/circuits.js';
import { HEARTBEAT, INSTANCES, LEAVE, LIVING, READ_SETTINGS, SETTINGS } from './scripts/fleets.js';
import { LIMIT } from './scripts/limits.js';
import { PLACES } from './scripts/places.js';
import type { Script } from './scripts/script.js';
import { UrlDriver } from './url-driver.js';

/** How many circuits one run of a script reads: the server serves nobody else meanwhile. */
const CIRCUITS_AT_ONCE = 250;

/**
 * A store in Redis 6.2 or later, or Valkey: one server, Sentinels or a cluster.
 *
 * @throws ResilienceConfigurationError for wrong options
 * @example
 * ResilienceModule.forRoot({ store: redisStore({ url: 'redis://localhost:6379' }) })
 */
export function redisStore(options: RedisStoreOptions): ResilienceStore {
  const { client, url, prefix } = readRedisStoreOptions(options);
  const driver = client === undefined ? new UrlDriver(url!) : driverOf(client);
  return new RedisStore(driver, new Keys(prefix));
}

/** node-redis has no `call()`. */
function driverOf(client: RedisClient): RedisDriver {
  return typeof (client as { call?: unknown }).call === 'function'
    ? new IoRedisDriver(client as unknown as IoRedis, false)
    : new NodeRedisDriver(client as unknown as NodeRedis, false);
}

class RedisStore implements ResilienceStore {
  readonly kind = 'redis';
  /** Stores that share no key share no channel either. */
  private readonly channel: string;
  private readonly messages: Messages;
  /** Whether a server that is a cluster of its own has been met by a client that knows nothing of clusters. */
  private oneSlotAtOnce = false;
  private closed = false;

  constructor(
    private readonly driver: RedisDriver,
    private readonly keys: Keys,
  ) {
    this.channel = driver.keyPrefix + keys.channel;
    this.messages = new Messages(driver, this.channel);
  }

  async circuit(name: string, step: CircuitStep): Promise<CircuitReply> {
    const random = randomBytes(4).toString('hex');
    const args = [this.channel, told(name), random, step.type, ...(await this.argsOf(step))];
    return readCircuit(texts(await this.run(STEP, this.keys.allOfCircuit(name), args)));
  }

  async circuits(names: readonly string[]): Promise<readonly (CircuitView | undefined)[]> {
    const keys = names.map((name) => this.keys.circuit(name));
    const views = await this.viewsOf(keys);
    return views.map((view) => (view === null ? undefined : readView(texts(view))));
  }

  async limit(name: string, request: LimitRequest): Promise<LimitDecision> {
    const { limit, perMs, burst, cost, maxWaitMs } = request;
    const args = [limit, perMs, burst, cost, Math.min(maxWaitMs, Number.MAX_SAFE_INTEGER)];
    return readDecision(texts(await this.run(LIMIT, [this.keys.limit(name)], args.map(String))));
  }

  async places(name: string, step: PlacesStep): Promise<PlacesReply> {
    const args = [this.channel, told(name), step.type, ...argsOfPlaces(step)];
    const reply = texts(await this.run(PLACES, this.keys.places(name), args));
    return readPlaces(reply, step.type === 'renew');
  }

  async heartbeat(instance: InstanceInfo, ttlMs: number): Promise<number> {
    const args = [instance.id, JSON.stringify(instance), text(ttlMs)];
    return Number(await this.run(HEARTBEAT, this.keys.living, args));
  }

  async instances(): Promise<readonly LivingInstance[]> {
    return readInstances(texts(await this.run(INSTANCES, this.keys.living, [])));
  }

  async leave(instanceId: string): Promise<void> {
    await this.run(LEAVE, this.keys.living, [instanceId]);
  }

  async settings(): Promise<FleetSettings | undefined> {
    const settings = readSettings(texts(await this.run(READ_SETTINGS, [this.keys.settings], [])));
    return settings.revision === 0 ? undefined : settings;
  }

  async changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings> {
    const args = [this.channel, String(expectedRevision), settings];
    return readSettings(texts(await this.run(SETTINGS, [this.keys.settings], args)));
  }

  async subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>> {
    this.mustBeOpen();
    return this.messages.subscribe(listener);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const ended = Promise.all([this.messages.close(), this.driver.close()]);
    await settledWithin(ended, CONNECT_MS - 100);
  }

  private async viewsOf(keys: readonly string[]): Promise<unknown[]> {
    if (this.driver.cluster || this.oneSlotAtOnce) return this.viewsSingly(keys);
    const reads = portionsOf(keys).map((portion) => this.run(VIEWS, portion, []));
    try {
      return (await Promise.all(reads)).flat();
    } catch (error) {
      if (!hasCode(error, 'CROSSSLOT')) throw error;
      this.oneSlotAtOnce = true;
      return this.viewsSingly(keys);
    }
  }

  /** By one command per circuit; no more at once than a client may hold. */
  private async viewsSingly(keys: readonly string[]): Promise<unknown[]> {
    const views: unknown[] = [];
    for (const portion of portionsOf(keys)) {
      const reads = portion.map((key) => this.run(VIEWS, [key], []));
      views.push(...(await Promise.all(reads)).flat());
    }
    return views;
  }

  private async argsOf(step: CircuitStep): Promise<string[]> {
    switch (step.type) {
      case 'trip': {
        const { quorum } = step;
        // In a cluster the instances are on another node. Their number changes little meanwhile.
        const living =
          quorum !== undefined && quorum.share > 0
            ? await this.run(LIVING, [this.keys.living[0]!], [])
            : 0;
        return [
          String(step.epoch),
          step.incarnation,
          step.instanceId,
          times(step.openMs),
          quorum === undefined ? '' : text(votesNeeded(quorum, Number(living))),
          quorum === undefined ? '' : text(quorum.voteMs),
        ];
      }
      case 'acquire':
        return [step.token, text(step.probes), text(step.successes), text(step.leaseMs)];
      case 'settle': {
        const { token, outcome, successes, failures, openMs } = step;
        return [token, outcome, text(successes), text(failures), times(openMs)];
      }
      case 'override': {
        const restores = step.restores ? '1' : '';
        if (step.override === undefined) return ['', '', restores];
        const { remainingMs, ...override } = step.override;
        const duration = remainingMs === undefined ? '' : text(remainingMs);
        return [JSON.stringify(override), duration, restores];
      }
      case 'reset':
        return [];
    }
  }

  /** Runs a script by its hash; a server that does not know it, such as one that has restarted, is sent the text. */
  private async run(script: Script, keys: readonly string[], args: string[]): Promise<unknown> {
    const [key = ''] = keys;
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(key, ['EVALSHA', script.sha1, ...rest]);
    } catch (error) {
      if (!hasCode(error, 'NOSCRIPT')) throw error;
      return this.send(key, ['EVAL', script.text, ...rest]);
    }
  }

  private send(key: string, command: string[]): Promise<unknown> {
    this.mustBeOpen();
    return this.driver.send(key, command);
  }

  private mustBeOpen(): void {
    if (this.closed) throw new Error('the Redis store has been closed');
  }
}

/** The first word of an error of Redis. */
function hasCode(error: unknown, code: string): boolean {
  return String((error as Error).message).startsWith(code);
}

function argsOfPlaces(step: PlacesStep): string[] {
  switch (step.type) {
    case 'acquire':
      return [step.token, text(step.limit), text(step.leaseMs)];
    case 'renew':
      return [text(step.leaseMs), ...step.tokens];
    case 'release':
      return [step.token];
  }
}

/** A name in messages: JSON can escape lone surrogates, UTF-8 cannot. */
function told(name: string): string {
  return JSON.stringify(name);
}

function times(openMs: readonly number[]): string {
  return openMs.map(text).join(',');
}

/** Counts and durations are whole and finite in Redis. */
function text(value: number): string {
  return String(span(value));
}

function portionsOf(keys: readonly string[]): string[][] {
  const count = Math.ceil(keys.length / CIRCUITS_AT_ONCE);
  return Array.from({ length: count }, (_, i) =>
    keys.slice(i * CIRCUITS_AT_ONCE, (i + 1) * CIRCUITS_AT_ONCE),
  );
}
