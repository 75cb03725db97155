import { plural } from '../format.js';
import type { Method as Model } from '../model.js';
import { href, refine, route } from '../router.js';
import { methods } from '../store.js';

/** All methods, commands and pipelines, each with the stages of its pipeline. */
export function Methods() {
  const text = route.value.query.get('q') ?? '';
  const found = methods.value.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <h2 class="summary">Methods, commands and pipelines</h2>
      <div class="bar" role="search">
        <label>
          Search
          <input
            type="search"
            value={text}
            onInput={(event) => refine({ q: event.currentTarget.value })}
          />
        </label>
      </div>
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
      <p>
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
      <h3>A call goes through, from left to right</h3>
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
      {policy.options.map(({ name, value, origin }) => (
        <>
          <dt>{name}</dt>
          <dd>
            {typeof value === 'string' ? value : JSON.stringify(value)}{' '}
            <span class="origin">{origin}</span>
          </dd>
        </>
      ))}
    </dl>
  );
}

/** `circuitBreaker` as the stage is called: `circuit breaker`. */
function inWords(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
