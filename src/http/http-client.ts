import { normalized } from '../commands/given-policies.js';
import { isPlainObject } from '../common/objects.js';
import { legibleThroughout } from '../common/legible.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { notOptions, show } from '../common/printable.js';
import type { LazyPlan } from '../execution/lazy-plan.js';
import { type PipelineOptions, checkPipeline } from '../execution/module-options.js';
import type { Runtime } from '../execution/runtime.js';
import { HttpCall, type Sender, type Terms } from './http-call.js';
import { type HttpAnswer, type HttpRequest, IDEMPOTENT_METHODS } from './http-rules.js';

/**
 * Policies of an HTTP client. Given options change the defaults: `retry: {}`, a circuit breaker per host, `timeout: { attempt: '10s',
 * total: '30s' }`. `key` and fallbacks get an {@link HttpRequest}.
 */
export interface HttpPolicies extends PipelineOptions {
  /** The name of the client, for state, events and overrides. Default `'fetch'` or `'http'`. */
  readonly name?: string;
  /**
   * Methods whose requests may be sent again. So may any request with an `Idempotency-Key` header, but none whose body
   * is a stream. Default: GET, HEAD, OPTIONS, TRACE, PUT and DELETE.
   */
  readonly retryMethods?: readonly string[];
}

/** Subjects of this owner and of one name share their parts. */
const CLIENTS = {};

/** One function, so that clients of the same name have the same options. */
const byHost = ({ host }: HttpRequest): string => host;

const DEFAULTS: Readonly<Record<string, object>> = {
  retry: {},
  circuitBreaker: { key: byHost },
  timeout: { attempt: '10s', total: '30s' },
};

/** Runs the requests of one HTTP client by its policies. */
export class HttpClient {
  private readonly lazyPlan: LazyPlan;
  private readonly methods: ReadonlySet<string>;

  /**
   * @param otherProblems those with options that only this kind of client has
   * @throws {ResilienceConfigurationError} once the application has started, when the options are wrong
   */
  constructor(
    private readonly runtime: Runtime,
    policies: HttpPolicies,
    defaultName: string,
    otherProblems: readonly string[] = [],
  ) {
    const given = legibleThroughout(policies);
    const known: HttpPolicies = isPlainObject(given) ? given : {};
    const { name = defaultName, retryMethods, order, ...set } = known;
    const title = `HTTP client ${show(name)}`;
    const others = otherProblems.map((problem) => `${title}: ${problem}`);
    const methods = isListOfTexts(retryMethods) ? retryMethods : IDEMPOTENT_METHODS;
    this.methods = new Set(Array.from(methods, (method) => method.toUpperCase()));
    const own = normalized(set);
    const kinds = new Set([...Object.keys(DEFAULTS), ...Object.keys(own)]);
    this.lazyPlan = runtime.planner.register(
      {
        name,
        title,
        owner: CLIENTS,
        overrideKeys: [name],
        policies: new Map(Array.from(kinds, (kind) => [kind, { ...DEFAULTS[kind], ...own[kind] }])),
        pipeline: undefined,
        order,
        method: undefined,
        anyWork: true,
      },
      [...problemsOf(title, given), ...others],
    );
  }

  /** Whether requests of this method may be sent again. */
  mayRetry(method: string): boolean {
    return this.methods.has(method);
  }

  /** Sends a request by the policies. */
  async run<Answer extends HttpAnswer>(sender: Sender<Answer>, terms: Terms): Promise<Answer> {
    const { pipeline } = this.lazyPlan.plan;
    const call = new HttpCall(sender, terms, this.runtime.clock);
    if (terms.signal !== undefined) call.obey(terms.signal);
    return call.run(pipeline);
  }
}

function problemsOf(title: string, given: unknown): string[] {
  const problems = new Problems();
  if (!isPlainObject(given)) {
    problems.add(title, notOptions(given));
    return problems.all;
  }
  const { name, retryMethods, ...set } = given;
  const read = new OptionsReader<HttpPolicies>(
    { name, retryMethods } as HttpPolicies,
    title,
    problems,
  );
  read.text('name');
  if (retryMethods !== undefined && !isListOfTexts(retryMethods)) {
    read.wrong('retryMethods', retryMethods, `a list of methods, such as ['GET', 'POST']`);
  }
  checkPipeline(title, '', set, problems);
  return problems.all;
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
