import type { CommandSnapshot } from '../../commands/snapshot.js';
import type { PipelineExplanation } from '../../execution/explanation.js';
import type { BulkheadSnapshot } from '../../policies/bulkhead/snapshot.js';
import type { RateLimitSnapshot } from '../../policies/rate-limit/snapshot.js';
import type {
  AdminBulkhead,
  AdminCommand,
  AdminPipeline,
  AdminRateLimit,
  AdminRecentCalls,
} from '../contract.js';
import { plain } from '../plain.js';
import { metricsView } from './breaker-view.js';

export function bulkheadView(snapshot: BulkheadSnapshot, group?: string): AdminBulkhead {
  const { name, maxConcurrent, maxQueue, running, waiting, rejected } = snapshot;
  const numbers = { maxConcurrent, maxQueue, running, waiting, rejected };
  return { name, ...(group !== undefined && { group }), ...numbers };
}

export function rateLimitView(
  snapshot: RateLimitSnapshot,
  recent: AdminRecentCalls | undefined,
  group?: string,
): AdminRateLimit {
  const { name, scope, limit, perMs, burst, remaining, waiting, admitted, rejected } = snapshot;
  const numbers = { scope, limit, perMs, burst, remaining, waiting, admitted, rejected };
  return {
    name,
    ...(group !== undefined && { group }),
    ...numbers,
    ...(recent !== undefined && { recent }),
  };
}

export function commandView({
  name,
  circuitBreaker,
  bulkhead,
  metrics,
}: CommandSnapshot): AdminCommand {
  return {
    name,
    ...(circuitBreaker !== undefined && { breaker: circuitBreaker.name }),
    ...(bulkhead !== undefined && { bulkhead: bulkhead.name }),
    metrics: metricsView(metrics),
  };
}

export function pipelineView({ name, stages, policies }: PipelineExplanation): AdminPipeline {
  return {
    name,
    stages,
    policies: policies.map(({ kind, part, options }) => ({
      kind,
      ...(part !== undefined && { part }),
      options: options.map((option) => ({
        name: option.name,
        value: plain(option.value, option.name),
        origin: option.origin,
      })),
    })),
  };
}
