import { count, plural } from '../format.js';
import { bulkheads } from '../store.js';

/** All bulkheads, the fullest first. */
export function Bulkheads() {
  const rows = [...bulkheads.value].sort(
    (a, b) => b.waiting - a.waiting || b.running / b.maxConcurrent - a.running / a.maxConcurrent,
  );
  return (
    <>
      <h2 class="summary">Bulkheads</h2>
      <p class="quiet" role="status">
        {plural(rows.length, 'bulkhead')}
      </p>
      <div class="scroll">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">In use</th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Rejected since the start
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, running, maxConcurrent, waiting, maxQueue, rejected }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <meter
                    value={running}
                    max={maxConcurrent}
                    aria-label={`Places of ${name} in use`}
                  />{' '}
                  {running} of {maxConcurrent}
                </td>
                <td class="number" data-label="Waiting">
                  {waiting} of {maxQueue}
                </td>
                <td class="number" data-label="Rejected">
                  {count(rejected)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
