import { OptionsReader, Problems } from '../../common/options-reader.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { settle } from '../../../test/support/wait.js';
import type { PolicySite } from '../policy.js';
import type { Answer } from './answer.js';
import { staleAnswer } from './stale-answer.js';
import type { StaleIfErrorOptions } from './stale-if-error.js';

class Books {
  list(): void {}
}

const method = { owner: Books, target: Books.prototype, key: 'list', handler: false };

/** The answer of a site, what is wrong with its options, and the keys under which it has kept results. */
function answerAt(site: object, options: Partial<StaleIfErrorOptions> = {}) {
  const problems = new Problems();
  const keys: string[] = [];
  const cache = {
    set: (key: string) => {
      keys.push(key);
      return Promise.resolve();
    },
  };
  const own = {
    name: 'Books.list',
    method,
    anyWork: false,
    instances: undefined,
    clock: new ManualClock(),
    events: { active: false },
    warn: () => {},
    resolve: () => cache,
    ...site,
  } as unknown as PolicySite;
  const read = new OptionsReader<object>({}, 'here', problems);
  const answer: Answer = staleAnswer({ ttl: '10m', ...options }, read, own);
  return { answer, problems: problems.all, keys };
}

describe('staleIfError needs a key', () => {
  const many = 'Books is request-scoped';

  it('on a handler', () => {
    const { problems } = answerAt({ method: { ...method, handler: true }, instances: { many } });
    expect(problems).toEqual([expect.stringContaining('on a handler needs a key function')]);
  });

  it('in a pipeline', () => {
    const { problems } = answerAt({ method: undefined, anyWork: true, instances: { many } });
    expect(problems).toEqual([expect.stringContaining('in a pipeline needs a key function')]);
  });

  it('with several instances, and says why', () => {
    expect(answerAt({ instances: { many } }).problems).toEqual([
      `here: staleIfError needs a key: ${many}. Without one, a caller could get another instance's data. Give { key: function (this: Books, …args) { … } } or the name of a method`,
    ]);
    expect(answerAt({ method: undefined, instances: { many } }).problems).toEqual([
      `here: staleIfError needs a key: ${many}. Without one, a caller could get another definition's data. Give { key: (...args) => … }`,
    ]);
  });

  it('only where the owner of the data is unknown', () => {
    const key = (): string => 'anna';
    const handler = { ...method, handler: true };
    for (const site of [{ method: handler }, { anyWork: true }, { instances: { many } }]) {
      const { answer, problems } = answerAt(site, { key });
      expect(problems).toEqual([]);
      expect(answer.needsKey).toBe(false);
    }
    for (const site of [{}, { method: undefined }, { instances: { many: undefined } }]) {
      const { answer, problems } = answerAt(site);
      expect(problems).toEqual([]);
      expect(answer.needsKey).toBe(true);
    }
  });

  it('and times above 0', () => {
    const { problems } = answerAt({}, { readTimeout: 0, writeTimeout: 0, ttl: 0 });
    expect(problems).toEqual([
      expect.stringContaining('ttl is 0'),
      expect.stringContaining('readTimeout is 0'),
      expect.stringContaining('writeTimeout is 0'),
    ]);
  });
});

describe('a kept result', () => {
  it.each<[string, object, string]>([
    ['a method', {}, ''],
    ['a static method', { method: { ...method, target: Books } }, 'static:'],
    ['a command', { method: undefined }, 'command:'],
    ['a pipeline', { method: undefined, anyWork: true }, 'pipeline:'],
  ])('is that of %s', async (_whose, site, mark) => {
    const { answer, keys } = answerAt(site, { key: () => 'anna' });
    const call = new TestCall(() => 1);
    call.succeed('books');
    answer.store!(call);
    await settle();
    expect(keys).toEqual([`nest-resilience:${mark}Books.list:anna`]);
  });
});
