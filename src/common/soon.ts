const settled = Promise.resolve();

/** Runs `run` in the next microtask. Cheaper than `queueMicrotask()`, which makes an async resource and a bound function. */
export function soon(run: () => void): void {
  void settled.then(run);
}
