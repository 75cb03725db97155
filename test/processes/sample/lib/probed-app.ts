import { once } from 'node:events';
import { App, type AppName, type AppOptions } from '../../../../sample/launcher/src/app.js';
import type { Answers } from './probe.js';

const PROBE = new URL('probe.js', import.meta.url).href;

/** A process of the sample that can be asked about its memory and its connections. */
export class ProbedApp extends App {
  constructor(name: AppName, options: Omit<AppOptions, 'nodeOptions'>) {
    super(name, { ...options, nodeOptions: ['--expose-gc', '--import', PROBE] });
  }

  /** Asks the probe in the process. */
  async query<Question extends keyof Answers>(question: Question): Promise<Answers[Question]> {
    const child = this.alive();
    const answer = once(child, 'message', { signal: AbortSignal.timeout(5_000) });
    child.send(question);
    const [value] = (await answer) as [Answers[Question]];
    return value;
  }
}
