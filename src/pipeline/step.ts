import { Stage } from './stage.js';

/**
 * A stage with its moments at hand. Stages are of many classes: to look a method up in each of them at every call
 * would take longer than most of them do. `undefined` where a stage does nothing.
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

/** `undefined` for a moment at which the stage does nothing. */
function overriddenHook<K extends 'enter' | 'ready' | 'exit' | 'react'>(
  stage: Stage,
  moment: K,
): Stage[K] | undefined {
  return stage[moment] === Stage.prototype[moment] ? undefined : stage[moment];
}
