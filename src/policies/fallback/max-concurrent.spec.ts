import { HttpException } from '@nestjs/common';
import { hostProcess } from '../../../test/support/process.js';
import { readOptions } from '../../../test/support/read-options.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { type Deferred, deferred, outcome, settle } from '../../../test/support/wait.js';
import type { PolicySite } from '../policy.js';
import { fallbackPolicy } from './fallback.policy.js';
import type { FallbackOptions } from './options.js';
import { staleIfError } from './stale-if-error.js';
import { policyEventsOf } from '../../../test/support/heard.js';

const down = new Error('down');
const failing = (): Promise<never> => Promise.reject(down);

/** Calls with a fallback that the test answers. */
class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[];
  readonly problems: readonly string[];
  /** The answers that have been asked for. */
  readonly answers: Deferred<string>[] = [];
  private readonly pipeline: Pipeline;

  constructor(options: FallbackOptions = {}, cache?: object) {
    const { clock, events } = this;
    const site: Partial<PolicySite> = {
      name: 'Books.list',
      clock,
      events,
      warn: () => {},
      resolve: () => cache,
    };
    const handler = (): Promise<string> => {
      const answer = deferred<string>();
      this.answers.push(answer);
      return answer.promise;
    };
    const [settings, problems] = readOptions(
      (reader: OptionsReader<FallbackOptions>) => fallbackPolicy.read(reader, site as PolicySite),
      { handler, ...options },
    );
    this.problems = problems;
    const { fallback } = fallbackPolicy.stages(settings, site as PolicySite);
    this.pipeline = new Pipeline('Books.list', [fallback!()], events);
    this.emitted = policyEventsOf(events);
  }

  begin(work: () => unknown = failing): {
    call: TestCall;
    end: Promise<{ value?: unknown; error?: unknown }>;
  } {
    const call = new TestCall(work, { clock: this.clock, interruptible: true });
    return { call, end: outcome(this.pipeline.run(call)) };
  }

  /** As many failed calls, whose fallbacks have been asked for an answer. */
  async occupy(count: number): Promise<ReturnType<Harness['begin']>[]> {
    const begun = Array.from({ length: count }, () => this.begin());
    await settle();
    expect(this.answers).toHaveLength(count);
    return begun;
  }

  get rejections(): ResilienceEvent[] {
    return this.emitted.filter(({ type }) => type === 'rejected');
  }
}

describe('fallbacks without a limit', () => {
  it('all run at the same time', async () => {
    const harness = new Harness();
    await harness.occupy(100);
    expect(harness.rejections).toEqual([]);
  });
});

describe('fallbacks with a limit', () => {
  it('leave a call beyond it its own error at once', async () => {
    const harness = new Harness({ maxConcurrent: 2 });
    const calls = await harness.occupy(2);
    const { call, end } = harness.begin();
    expect((await end).error).toBe(down);
    expect(harness.answers).toHaveLength(2);
    expect(call.source).toBe('live');
    expect(call.answered).toMatchObject({ error: down, by: 'rejected' });
    for (const answer of harness.answers) answer.resolve('former books');
    for (const each of calls) expect((await each.end).value).toBe('former books');
  });

  it('report a call beyond it', async () => {
    const harness = new Harness({ maxConcurrent: 1 });
    await harness.occupy(1);
    await harness.begin().end;
    expect(harness.emitted.filter(({ type }) => type !== 'attempt')).toEqual([
      { type: 'rejected', name: 'Books.list', policy: 'fallback', code: 'FALLBACK_FULL' },
    ]);
  });

  it.each<[string, (answer: Deferred<string>) => void]>([
    ['has answered', (answer) => answer.resolve('former books')],
    ['has failed', (answer) => answer.reject(new Error('fallback'))],
  ])('make room when one %s', async (_how, end) => {
    const harness = new Harness({ maxConcurrent: 1 });
    const [first] = await harness.occupy(1);
    end(harness.answers[0]!);
    await first!.end;
    const second = harness.begin();
    await settle();
    harness.answers[1]!.resolve('books');
    expect((await second.end).value).toBe('books');
    expect(harness.rejections).toEqual([]);
  });

  it('make room when one throws at once', async () => {
    const own = new Error('fallback');
    const handler = (): never => {
      throw own;
    };
    const harness = new Harness({ maxConcurrent: 1, handler });
    for (let i = 0; i < 3; i++) expect((await harness.begin().end).error).toBe(own);
  });

  it('make room when one has no answer', async () => {
    const cache = { get: async () => undefined, set: async () => {} };
    const handler = staleIfError({ ttl: '1m', key: () => 'x' });
    const harness = new Harness({ maxConcurrent: 1, handler }, cache);
    for (let i = 0; i < 3; i++) expect((await harness.begin().end).error).toBe(down);
    expect(harness.rejections).toEqual([]);
  });

  it.each<[string, (answer: Deferred<string>) => void]>([
    ['answers', (answer) => answer.resolve('late')],
    ['fails', (answer) => answer.reject(new Error('late'))],
  ])('count one whose caller has gone until it %s', async (_how, endLate) => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const harness = new Harness({ maxConcurrent: 1 });
      const [first] = await harness.occupy(1);
      const gone = new Error('gone');
      first!.call.abort(gone);
      expect((await first!.end).error).toBe(gone);
      expect((await harness.begin().end).error).toBe(down);
      expect(harness.answers).toHaveLength(1);
      endLate(harness.answers[0]!);
      await settle();
      const third = harness.begin();
      await settle();
      harness.answers[1]!.resolve('books');
      expect((await third.end).value).toBe('books');
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });

  it('do not count calls that need no fallback', async () => {
    const harness = new Harness({ maxConcurrent: 1 });
    await harness.occupy(1);
    const notFound = new HttpException('x', 404);
    expect((await harness.begin(() => 'books').end).value).toBe('books');
    expect((await harness.begin(() => Promise.reject(notFound)).end).error).toBe(notFound);
    expect(harness.rejections).toEqual([]);
  });

  it('share it among the choices of a list', async () => {
    const [slow, quick] = [deferred<string>(), jest.fn()];
    const harness = new Harness({
      maxConcurrent: 1,
      handler: [{ on: [RangeError], handler: () => slow.promise }, { handler: quick }],
    });
    const first = harness.begin(() => Promise.reject(new RangeError('x')));
    await settle();
    expect((await harness.begin().end).error).toBe(down);
    expect(quick).not.toHaveBeenCalled();
    slow.resolve('books');
    expect((await first.end).value).toBe('books');
    expect(harness.rejections).toHaveLength(1);
  });

  it('still keep good results at the limit', async () => {
    const entries = new Map<string, unknown>();
    const read = deferred<unknown>();
    const cache = {
      get: () => read.promise,
      set: async (key: string, entry: unknown) => void entries.set(key, entry),
    };
    const handler = staleIfError({ ttl: '1m', key: () => 'x' });
    const harness = new Harness({ maxConcurrent: 1, handler }, cache);
    const first = harness.begin();
    await settle();
    await harness.begin(() => 'books').end;
    expect(entries.size).toBe(1);
    read.resolve(undefined);
    await first.end;
  });

  it.each([
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    ['5', `'5'`],
    [Infinity, 'Infinity'],
  ])('cannot be %p', (maxConcurrent, shown) => {
    expect(new Harness({ maxConcurrent: maxConcurrent as number }).problems).toEqual([
      `maxConcurrent is ${shown}; use a whole number of at least 1`,
    ]);
  });
});
