/**
 * What a call makes beside promises: timers and AbortControllers, counted at the globals that make them. In a pass
 * of its own, because counting costs time.
 */
export async function count(call, calls) {
  const { setTimeout, setInterval, setImmediate, AbortController } = globalThis;
  const made = { timers: 0, controllers: 0 };
  const counting =
    (create) =>
    (...args) => {
      made.timers += 1;
      return create(...args);
    };
  Object.assign(globalThis, {
    setTimeout: counting(setTimeout),
    setInterval: counting(setInterval),
    setImmediate: counting(setImmediate),
    AbortController: class extends AbortController {
      constructor() {
        super();
        made.controllers += 1;
      }
    },
  });
  try {
    for (let i = 0; i < calls; i++) await Promise.resolve(call()).catch(() => {});
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval, setImmediate, AbortController });
  }
  return made;
}
