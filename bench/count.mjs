import { createHook } from 'node:async_hooks';

/** Node's names for the resources behind setTimeout, setInterval and setImmediate. */
const TIMERS = new Set(['Timeout', 'Immediate']);

/**
 * Counts the objects that a call makes besides promises: timers, by Node's async hooks (they would take a replaced
 * global for a fake one), and AbortControllers. In a pass of its own, because counting costs time.
 */
export async function count(call, calls) {
  const { AbortController } = globalThis;
  const made = { timers: 0, controllers: 0 };
  const hook = createHook({
    init(_id, type) {
      if (TIMERS.has(type)) made.timers += 1;
    },
  });
  globalThis.AbortController = class extends AbortController {
    constructor() {
      super();
      made.controllers += 1;
    }
  };
  hook.enable();
  try {
    for (let i = 0; i < calls; i++) await Promise.resolve(call()).catch(() => {});
  } finally {
    hook.disable();
    globalThis.AbortController = AbortController;
  }
  return made;
}
