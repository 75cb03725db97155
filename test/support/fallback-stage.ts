import { Pipeline } from '../../src/pipeline/pipeline.js';
import type { ResilienceEvent } from '../../src/telemetry/events.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock } from '../../src/testing/index.js';
import type { PolicySite, ProtectedMethod } from '../../src/policies/policy.js';
import { fallbackPolicy } from '../../src/policies/fallback/fallback.policy.js';
import type { FallbackOptions } from '../../src/policies/fallback/options.js';
import { readOptions } from './read-options.js';
import { TestCall } from './test-call.js';
import { policyEventsOf } from './heard.js';

/** The service whose method is protected. */
class Books {
  readonly calls: unknown[] = [];

  list(): void {}

  former(...args: unknown[]): string {
    this.calls.push(args);
    return 'former';
  }
}

export const down = new Error('down');
export const failing = (): Promise<never> => Promise.reject(down);

/** A protected method with a fallback, and a clock that only the test moves. */
export class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[];
  readonly warnings: string[] = [];
  problems: readonly string[] = [];
  readonly books = new Books();
  readonly providers = new Map<unknown, unknown>();
  private pipeline: Pipeline | undefined;

  constructor(
    private readonly options: FallbackOptions,
    private readonly method: Partial<ProtectedMethod> = {},
  ) {
    this.emitted = policyEventsOf(this.events);
  }

  /** Options are read when the first call is made, or here. */
  read(): Pipeline {
    const { clock, events, providers } = this;
    const site: Partial<PolicySite> = {
      name: 'Books.list',
      method: {
        name: 'list',
        key: 'list',
        owner: Books,
        target: Books.prototype,
        arity: 2,
        handler: false,
        sendsResponse: false,
        ...this.method,
      },
      optionsOf: () => undefined,
      clock,
      events,
      warn: (message) => void this.warnings.push(message),
      resolve: (token) => providers.get(token),
      callAsSubstitute: (self, name, args) =>
        (self as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
    };
    const [settings, problems] = readOptions(
      (read) => fallbackPolicy.read(read, site as PolicySite),
      this.options,
    );
    this.problems = problems;
    const { fallback } = fallbackPolicy.stages(settings, site as PolicySite);
    return (this.pipeline = new Pipeline('Books.list', [fallback!()], events));
  }

  call(work: () => unknown, args: readonly unknown[] = []): TestCall {
    const { clock, books: self } = this;
    return new TestCall(work, { clock, args, self, interruptible: true });
  }

  run(work: () => unknown = failing, args: readonly unknown[] = []): Promise<unknown> {
    return this.start(this.call(work, args));
  }

  start(call: TestCall): Promise<unknown> {
    const pipeline = this.pipeline ?? this.read();
    expect(this.problems).toEqual([]);
    return pipeline.run(call);
  }

  get fallbackEvents(): ResilienceEvent[] {
    return this.emitted.filter(({ type }) => type === 'fallback');
  }
}

export const problemsOf = (
  options: object,
  site: Partial<ProtectedMethod> = {},
): readonly string[] => {
  const harness = new Harness(options, site);
  harness.read();
  return harness.problems;
};
