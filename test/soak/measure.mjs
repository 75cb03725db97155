// The memory and handles of a process, and whether they grow.
import { getEventListeners } from 'node:events';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Bytes and counts, after a garbage collection. Needs --expose-gc. */
export async function measure(targets = {}) {
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await pause(30);
  }
  const held = { heap: process.memoryUsage().heapUsed };
  for (const kind of process.getActiveResourcesInfo()) held[kind] = (held[kind] ?? 0) + 1;
  for (const name of process.eventNames()) {
    held[`process '${String(name)}'`] = process.listenerCount(name);
  }
  for (const [name, { target, event }] of Object.entries(targets)) {
    held[name] = getEventListeners(target, event).length;
  }
  return held;
}

/** Bytes that may come and go with the engine's own housekeeping. */
const SLACK = 2_000_000;

/** Handles that come and go with clients: connections that are being opened or closed, timers of the runtime. */
const COUNT_SLACK = 12;

/**
 * Compares the end of the first quarter with the end.
 *
 * @returns what has grown, in words; empty when everything is flat
 */
export function grown(samples) {
  const early = samples[Math.floor(samples.length / 4)];
  const last = samples.at(-1);
  return Object.keys({ ...early, ...last }).flatMap((what) => {
    const [before = 0, after = 0] = [early[what], last[what]];
    const limit = what === 'heap' ? before * 1.05 + SLACK : before + COUNT_SLACK;
    return after > limit ? [`${what}: ${shown(what, before)} -> ${shown(what, after)}`] : [];
  });
}

function shown(what, value) {
  return what === 'heap' ? `${(value / 1e6).toFixed(1)} MB` : String(value);
}

/** One line for people. */
export function line(sample) {
  return Object.entries(sample)
    .map(([what, value]) => `${what} ${shown(what, value)}`)
    .join(', ');
}

/** Prints the verdict, and is the process' exit code. */
export function conclude(name, samples) {
  const growth = grown(samples);
  for (const each of growth) console.error(`${name}: grows: ${each}`);
  if (growth.length > 0) process.exitCode = 1;
  else console.log(`${name}: flat`);
}
