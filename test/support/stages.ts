import type { Clock } from '../../src/common/clock.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import type { Call } from '../../src/pipeline/call.js';
import { Pipeline } from '../../src/pipeline/pipeline.js';
import { type Reaction, Stage } from '../../src/pipeline/stage.js';
import { TestCall, type Work } from './test-call.js';

interface Moments {
  readonly enter?: (call: Call) => void;
  readonly ready?: (call: Call) => Promise<void> | undefined;
  readonly exit?: (call: Call, held: string) => void;
  readonly react?: (call: Call) => Promise<Reaction> | void;
}

/** Records its moments, single ones of which may be given. Never makes a call wait on the way in. */
export class PromptToy extends Stage<string> {
  constructor(
    readonly name: string,
    readonly log: string[],
    readonly moments: Moments = {},
  ) {
    super();
  }

  override enter(call: Call): string {
    this.log.push(`enter ${this.name}`);
    this.moments.enter?.(call);
    return `held by ${this.name}`;
  }

  override exit(call: Call, held: string): void {
    expect(held).toBe(`held by ${this.name}`);
    this.log.push(`exit ${this.name}`);
    this.moments.exit?.(call, held);
  }

  override react(call: Call, held: string): Promise<Reaction> | void {
    expect(held).toBe(`held by ${this.name}`);
    this.log.push(`react ${this.name}`);
    return this.moments.react?.(call);
  }
}

/** The same, but may make a call wait on the way in. */
export class Toy extends PromptToy {
  override ready(call: Call, held: string): Promise<void> | undefined {
    expect(held).toBe(`held by ${this.name}`);
    return this.moments.ready?.(call);
  }
}

export const pipelineOf = (stages: readonly Stage[], events = new ResilienceEvents()): Pipeline =>
  new Pipeline('Books.list', stages, events);

export const failing = (): Promise<never> => Promise.reject(new Error('x'));

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const interruptible = (work: Work, clock?: Clock): TestCall =>
  new TestCall(work, { clock, interruptible: true });
