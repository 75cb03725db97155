import { Inject, Injectable, Optional } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { ResilienceConfigurationError } from '../common/errors.js';
import { show } from '../common/printable.js';
import { FLEET } from '../fleet/fleet.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { Harm } from './circuit-health.js';
import {
  type Breakers,
  type DependencyHealth,
  type Fleet,
  examine,
  storeHealthOf,
} from './dependency-health.js';

/** The answer to a health check: a status, and the circuits. */
export type ResilienceHealth<Key extends string = string> = HealthIndicatorResult<
  Key,
  HealthIndicatorResult[string]['status'],
  DependencyHealth
>;

/**
 * Shows the circuit breakers in health checks of `@nestjs/terminus` 11 or 12.
 *
 * A circuit that rejects calls makes the application `degraded`, not `down`: it still answers, with fallbacks for example.
 * Terminus 11 has no such status; there it is `up` with `degraded: true` among the details.
 *
 * @example
 * \@Get('health')
 * \@HealthCheck()
 * check() {
 *   return this.health.check([() => this.circuits.check('circuits')]);
 * }
 */
@Injectable()
export class ResilienceHealthIndicator {
  private readonly breakers: Breakers;
  private readonly terminus: HealthIndicatorService;
  private readonly fleet: Fleet | undefined;

  /** @throws {ResilienceConfigurationError} when `ResilienceModule` or `TerminusModule` is missing */
  constructor(
    @Optional() @Inject(CIRCUIT_BREAKER_REGISTRY) breakers?: unknown,
    @Optional() @Inject(HealthIndicatorService) terminus?: HealthIndicatorService,
    @Optional() @Inject(FLEET) fleet?: unknown,
  ) {
    const missing: string[] = [];
    if (breakers === undefined) {
      missing.push('shows what ResilienceModule does; import ResilienceModule.forRoot() too');
    }
    if (terminus === undefined) {
      missing.push('answers TerminusModule; import that in the module that provides the indicator');
    }
    if (breakers === undefined || terminus === undefined) {
      throw new ResilienceConfigurationError(
        missing.map((problem) => `ResilienceHealthIndicator: ${problem}`),
      );
    }
    this.breakers = breakers as Breakers;
    this.terminus = terminus;
    this.fleet = (fleet ?? undefined) as Fleet | undefined;
  }

  /**
   * For people and monitoring: `down` when a breaker with the option `critical` rejects calls, `degraded` when any
   * other one does, when one is half-open (unless there was no call for five minutes), or when the store of the fleet
   * does not answer.
   */
  check<const Key extends string>(key: Key): Promise<ResilienceHealth<Key>> {
    return this.report(key, 'down');
  }

  /**
   * For a readiness probe: `degraded` at worst. All instances share their dependencies: if an outage took them out of the
   * load balancer, no fallback could answer any more.
   */
  checkReadiness<const Key extends string>(key: Key): Promise<ResilienceHealth<Key>> {
    return this.report(key, 'degraded');
  }

  /** For a liveness probe: always `up`, since a restart does not repair a dependency. */
  checkLiveness<const Key extends string>(key: Key): Promise<ResilienceHealth<Key>> {
    return this.report(key, 'up');
  }

  private async report<Key extends string>(
    key: Key,
    worst: 'up' | 'degraded' | 'down',
  ): Promise<ResilienceHealth<Key>> {
    if (typeof key !== 'string' || key === '') {
      throw new TypeError(
        `ResilienceHealthIndicator: the key is ${show(key)}; use a non-empty string`,
      );
    }
    const { harm, health: circuits } = await examine(this.breakers);
    const health = { ...circuits, ...storeHealthOf(this.fleet) };
    const session: Session<Key> = this.terminus.check(key);
    const harmless = harm < Harm.probing && health.store?.status !== 'degraded';
    if (harmless || worst === 'up') return session.up(health);
    if (harm === Harm.critical && worst === 'down') return session.down(health);
    return session.degraded?.(health) ?? session.up({ degraded: true, ...health });
  }
}

/** The part of Terminus' session that is used here; `degraded()` is new in Terminus 12. */
type Session<Key extends string> = Record<
  'up' | 'down',
  (details: Readonly<Record<string, unknown>>) => HealthOf<Key>
> & { readonly degraded?: (details: Readonly<Record<string, unknown>>) => HealthOf<Key> };

type HealthOf<Key extends string> = ResilienceHealth<Key>;
