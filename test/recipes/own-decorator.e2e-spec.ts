import { type Booted, boot, closeAll } from '../support/boot.js';
import { until } from '../support/wait.js';
import { answerFetch } from '../support/fetches.js';
import { Catalogue } from './own-decorator.js';

describe('the recipe for a custom decorator', () => {
  let booted: Booted;
  let asked: string[];
  let statuses: number[];

  beforeEach(async () => {
    booted = await boot({ providers: [Catalogue] });
    asked = [];
    answerFetch((_, { method = 'GET' }) => {
      asked.push(method);
      return Response.json(['One'], { status: statuses.shift() ?? 200 });
    });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await closeAll();
  });

  it('retries up to the given number', async () => {
    statuses = [503];
    const titles = booted.app.get(Catalogue).titles();
    await until(() => booted.clock.pending > 0);
    await booted.clock.advance(1_000);
    expect(await titles).toEqual(['One']);
    statuses = [503];
    await expect(booted.app.get(Catalogue).add('Two')).rejects.toThrow('not added');
    expect(asked).toEqual(['GET', 'GET', 'POST']);
  });

  it('is one breaker for all methods that call the service', async () => {
    statuses = [];
    await booted.app.get(Catalogue).titles();
    await booted.app.get(Catalogue).add('Two');
    expect(booted.registry.get('catalogue').counts.successes).toBe(2);
  });
});
