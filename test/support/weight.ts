import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects all garbage, whether Node was started with `--expose-gc` or not. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
}

/** Bytes per object of `count` objects made by `make`: the least of three measurements, since disturbances only add. */
export function weigh(count: number, make: (index: number) => unknown): number {
  return Math.min(...Array.from({ length: 3 }, () => weighOnce(count, make)));
}

function weighOnce(count: number, make: (index: number) => unknown): number {
  const kept: unknown[] = new Array<unknown>(count).fill(undefined);
  make(-1); // creates the shared objects
  collectGarbage();
  const before = used();
  for (let index = 0; index < count; index++) kept[index] = make(index);
  collectGarbage();
  const bytes = (used() - before) / kept.length;
  return bytes;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
