import { Stage } from './stage.js';

/**
 * A stage with its methods cached. Stages are of many classes, and looking up their methods at each call would take longer
 * than most of the methods. `undefined` for a moment at which the stage does nothing.
 */
export class Step {
  readonly enter: Stage['enter'] | undefined;
  readonly ready: Stage['ready'];
  readonly exit: Stage['exit'] | undefined;
  readonly react: Stage['react'] | undefined;

  constructor(readonly stage: Stage) {
    this.enter = overriddenHook(stage, 'enter');
    this.ready = overriddenHook(stage, 'ready');
    this.exit = overriddenHook(stage, 'exit');
    this.react = overriddenHook(stage, 'react');
  }
}

/** The method, if the stage overrides the one of {@link Stage}, which does nothing. */
function overriddenHook<K extends 'enter' | 'ready' | 'exit' | 'react'>(
  stage: Stage,
  moment: K,
): Stage[K] | undefined {
  return stage[moment] === Stage.prototype[moment] ? undefined : stage[moment];
}
