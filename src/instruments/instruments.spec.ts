import { expectGenerated, markdown } from '../../test/support/generated-docs.js';
import { type Instrument, attributeName, prometheusName } from './instrument.js';
import { instruments } from './instruments.js';

// docs/observability.md shows the list. After a change: UPDATE_DOCS=1 npx jest src/instruments/instruments.spec

const all: readonly Instrument[] = Object.values(instruments);

const code = (text: string): string => `\`${text}\``;

function tables(): string {
  const rows = all.map((instrument) => [
    code(prometheusName(instrument)),
    instrument.kind,
    instrument.labels.map(code).join(', '),
    instrument.description,
  ]);
  const names = all.map(({ name, unit, labels }) => [
    code(name),
    code(unit),
    labels.map(attributeName).map(code).join(', '),
  ]);
  return [
    markdown([['Prometheus', 'kind', 'labels', 'meaning'], ...rows]),
    markdown([['OpenTelemetry', 'unit', 'attributes'], ...names]),
  ].join('\n\n');
}

describe('the instruments', () => {
  it('are listed in docs/observability.md as in the code', () => {
    expectGenerated('observability.md', 'src/instruments/instruments.ts', tables());
  });

  it('have names that dashboards and alert rules of users rely on', () => {
    expect(all.map(prometheusName)).toEqual([
      'resilience_calls_total',
      'resilience_call_duration_seconds',
      'resilience_attempts_total',
      'resilience_retries_total',
      'resilience_retry_results_total',
      'resilience_rejections_total',
      'resilience_timeouts_total',
      'resilience_circuit_breaker_state',
      'resilience_circuit_breaker_transitions_total',
      'resilience_circuit_breaker_time_in_state_seconds_total',
      'resilience_circuit_breaker_calls_total',
      'resilience_circuit_breaker_probes_total',
      'resilience_circuit_breaker_failure_ratio',
      'resilience_circuit_breaker_slow_call_ratio',
      'resilience_circuit_breaker_override',
      'resilience_bulkhead_limit',
      'resilience_bulkhead_in_use',
      'resilience_bulkhead_waiting',
      'resilience_bulkhead_wait_duration_seconds',
      'resilience_rate_limit_calls_total',
      'resilience_rate_limit_burst',
      'resilience_rate_limit_remaining',
      'resilience_rate_limit_waiting',
      'resilience_rate_limit_wait_duration_seconds',
      'resilience_fallbacks_total',
      'resilience_stale_age_seconds',
      'resilience_cache_errors_total',
      'resilience_store_degraded',
      'resilience_fleet_instances',
      'resilience_event_loop_lag_seconds',
    ]);
  });

  it('have one meaning each, three labels at most, and buckets only if they are histograms', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, kind, labels, buckets, description } of all) {
      expect([name, labels.length <= 3]).toEqual([name, true]);
      expect([name, buckets !== undefined]).toEqual([name, kind === 'histogram']);
      expect(description).toMatch(/^[A-Z1].*[^.]$/);
    }
  });
});
