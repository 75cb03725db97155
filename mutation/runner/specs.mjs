// Which specs the runner uses, and in which order.
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** These are of no use here. */
const LEFT_OUT = new Map([
  ['test/added-policy.e2e-spec.ts', 'mocks a module, which the runner does not know'],
  ['test/late-loop.e2e-spec.ts', 'keeps the event loop busy for seconds'],
  ['test/node-test-timers.e2e-spec.ts', 'runs in processes of its own'],
]);

/** These sources are tested as a part of whole applications. */
const WHOLE = 'src/execution/';

/** Spec files that take longer come last. */
const SLOW_MS = 5_000;

/**
 * The spec files of a project: those beside the sources and, without MUTATION_NEAR, the ones of `test/` that need nothing but
 * this process.
 */
export function specFiles(root) {
  const beside = readdirSync(join(root, 'src'), { recursive: true })
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.spec.ts'));
  if (process.env.MUTATION_NEAR) return beside.sort();
  const whole = ['test', 'test/outcomes'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.e2e-spec.ts'))
      .map((file) => `${folder}/${file}`),
  );
  return [...beside, ...whole].filter((file) => !LEFT_OUT.has(file)).sort();
}

/** Spec files in the order in which they are likely to notice a change of a source file: the nearest first. */
export function nearestFirst(specs, source, msOf) {
  const folders = dirname(source).split('/');
  const name = basename(source, '.ts');
  const distance = (spec) => {
    if (msOf(spec) > SLOW_MS) return 200;
    const others = dirname(spec).split('/');
    if (!spec.startsWith('src/')) {
      // Such as test/outcomes.
      return folders.includes(others[1]) || source.startsWith(WHOLE) ? 5 : 100;
    }
    const same = folders.findIndex((folder, i) => folder !== others[i]);
    const shared = same < 0 ? folders.length : same;
    const steps = folders.length - shared + others.length - shared;
    return steps * 2 + (basename(spec).startsWith(`${name}.`) ? 0 : 1);
  };
  const keys = new Map(specs.map((spec) => [spec, [distance(spec), msOf(spec)]]));
  return [...specs].sort((a, b) => {
    const [near, quick] = keys.get(a);
    const [other, otherQuick] = keys.get(b);
    return near - other || quick - otherQuick;
  });
}
