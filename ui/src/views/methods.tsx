import { inWords } from '../describe.js';
import { SearchBar, searched } from '../parts/search-bar.js';
import { duration, plural } from '../format.js';
import type { Method as Model } from '../model.js';
import { href } from '../router.js';
import { methods } from '../store.js';

/** All methods, commands and pipelines, each with the stages of its pipeline. */
export function Methods() {
  const text = searched();
  const found = methods.value.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <h2 class="summary">Methods, commands and pipelines</h2>
      <SearchBar />
      <p class="quiet" role="status">
        {plural(found.length, 'pipeline')}
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Stages, outermost first</th>
            </tr>
          </thead>
          <tbody>
            {found.map(({ name, stages }) => (
              <tr key={name}>
                <th scope="row">
                  <a href={href('methods', name)}>{name}</a>
                </th>
                <td>{stages.join(' › ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** The pipeline of one method, drawn, with its options and where they come from. */
export function Method({ name }: { readonly name: string }) {
  const found = methods.value.find((method) => method.name === name);
  return (
    <>
      <p class="back">
        <a href={href('methods')}>← All methods</a>
      </p>
      <h2 class="summary">{name}</h2>
      {found === undefined ? (
        <p class="card empty">There is no pipeline of this name.</p>
      ) : (
        <Drawing {...found} />
      )}
    </>
  );
}

function Drawing({ stages, policies }: Model) {
  const breaker = policies.find(({ kind }) => kind === 'circuitBreaker')?.part;
  return (
    <section class="card">
      <h3>A call goes through, from top to bottom</h3>
      <ol class="stages">
        {stages.map((stage) => (
          <li key={stage}>
            <h4>{stage}</h4>
            <Options stage={stage} policies={policies} />
          </li>
        ))}
        <li>
          <h4>the method</h4>
        </li>
      </ol>
      {breaker !== undefined && (
        <p>
          Its circuit breaker is <a href={href('dependencies', breaker)}>{breaker}</a>.
        </p>
      )}
    </section>
  );
}

function Options({
  stage,
  policies,
}: {
  readonly stage: string;
  readonly policies: Model['policies'];
}) {
  // `timeout` has two stages, `attempt timeout` and `total timeout`.
  const policy = policies.find(({ kind }) => stage.endsWith(inWords(kind)));
  if (policy === undefined) return null;
  return (
    <dl>
      {optionsOf(stage, policy.options).map(({ name, value, origin }) => (
        <>
          <dt>{name}</dt>
          <dd>
            {valueOf(name, value)} <span class="origin">{origin}</span>
          </dd>
        </>
      ))}
    </dl>
  );
}

/** `timeout` has an option for each of its two stages. */
function optionsOf(
  stage: string,
  options: Model['policies'][number]['options'],
): Model['policies'][number]['options'] {
  const [of] = stage.split(' timeout');
  return of === stage ? options : options.filter(({ name }) => name === of || name === 'enabled');
}

const DURATIONS = /^(attempt|total|ttl|windowMs)$|(For|Wait|Time|Duration|Delay)$/;

/** The value of an option as it is written in code. */
function valueOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && DURATIONS.test(name)) return duration(value);
  if (Array.isArray(value)) return value.map((each) => valueOf('', each)).join(', ');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const { kind, options, ...others } = value as Record<string, unknown>;
  const inner = typeof options === 'object' && options !== null ? options : others;
  const parts = Object.entries(inner).map(([key, each]) => `${key}: ${valueOf(key, each)}`);
  return typeof kind === 'string' ? `${kind}(${parts.join(', ')})` : `{ ${parts.join(', ')} }`;
}
