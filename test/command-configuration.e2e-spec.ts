import type { Command, ResilienceService } from '../src/index.js';
import { closeAll } from './support/boot.js';
import {
  type Work,
  bootService,
  commandOf,
  down,
  making,
  problemsBy,
  problemsOf,
  wrong,
} from './support/commands.js';
import { policyNames } from './support/policy-lists.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

describe('a command is refused at once for', () => {
  it.each([
    ['an empty name', '', { run: down }, `command '': the name is ''; use a non-empty string`],
    ['no name', undefined, { run: down }, 'command undefined: the name is undefined; use a'],
    ['no definition', 'x', undefined, `command 'x': the policies are undefined`],
    ['a function as definition', 'x', down, `command 'x': the policies are function down`],
    ['nothing to run', 'x', { timeout: '1s' }, `command 'x': run is undefined; use a function`],
    ['a run that is none', 'x', { run: 'fast' }, `command 'x': run is 'fast'; use a function`],
    [
      'a pipeline without a name',
      'x',
      { run: down, pipeline: {} },
      `command 'x': pipeline is {}; use the name of one`,
    ],
    [
      'an unknown policy',
      'x',
      { run: down, retries: 3 },
      `command 'x': has "retries", which is not a policy; the policies are ${policyNames}`,
    ],
    [
      'a policy without options',
      'x',
      { run: down, retry: true },
      `command 'x': retry is true; use an object with options`,
    ],
  ])('%s', async (_, name, definition, told) => {
    const { service } = await bootService();
    expect(problemsBy(() => service.command(wrong(name), wrong(definition)))).toEqual([
      expect.stringContaining(told),
    ]);
    expect([...service.commands()]).toEqual([]);
  });

  it('missing options, with an explanation', async () => {
    const { service } = await bootService();
    const right = 'use an object with options by policy';
    expect(problemsBy(() => service.command('x', wrong(7)))).toEqual([
      `command 'x': the policies are 7; ${right}`,
    ]);
    expect(problemsBy(() => service.pipeline('x', wrong(null)))).toEqual([
      `pipeline 'x': the policies are null; ${right}`,
    ]);
  });

  it('an order of its own', async () => {
    const { service } = await bootService();
    expect(
      problemsBy(() => service.command('x', wrong({ run: down, retry: {}, order: ['retry'] }))),
    ).toEqual([expect.stringContaining('order')]);
  });
});

describe('configuration of commands', () => {
  const optionsOf = (command: Command<never[], unknown>): unknown =>
    command.describe().policies[0]?.options;

  it('comes from defaults, named configurations, the definition and overrides; the later one wins', async () => {
    const made: Command<[work: Work], unknown>[] = [];
    const own = { config: 'patient', maxRetries: 3 };
    const maker = making((service) => {
      made.push(
        commandOf(service, { retry: {} }, 'plain'),
        commandOf(service, { retry: { config: 'patient' } }, 'configured'),
        commandOf(service, { retry: own }, 'own'),
        commandOf(service, { retry: own }, 'overridden'),
      );
    });
    await bootService(
      {
        defaults: { retry: { maxRetries: 1, maxElapsedTime: '1m' } },
        configs: { patient: { retry: { maxRetries: 2 } } },
        overrides: { overridden: { retry: { maxRetries: 4 } } },
      },
      { providers: [maker] },
    );
    expect(made.map((command) => optionsOf(command as never))).toEqual(
      [1, 2, 3, 4].map((maxRetries) => ({ maxRetries, maxElapsedTime: '1m' })),
    );
  });

  it('uses the configuration of the name of its breaker', async () => {
    const { service } = await bootService({
      configs: { storagesvc: { circuitBreaker: { openFor: '9s' } } },
    });
    const command = commandOf(service, { circuitBreaker: 'storagesvc' });
    expect(command.snapshot().circuitBreaker?.limits.openForMs).toBe(9_000);
  });

  it('is overridden for all, and more specifically by name, for later commands too', async () => {
    const maker = making((service) => commandOf(service, { timeout: '1s', bulkhead: 1 }));
    const { service } = await bootService(
      {
        overrides: {
          books: { timeout: '3s', bulkhead: { enabled: false } },
          '*': { timeout: { attempt: '2s' } },
        },
      },
      { providers: [maker] },
    );
    const books = commandOf(service, { timeout: '1s', bulkhead: 1 });
    const films = commandOf(service, { timeout: '1s', bulkhead: 1 }, 'films');
    expect(books.snapshot()).toMatchObject({ attemptTimeoutMs: 3_000, bulkhead: undefined });
    expect(films.snapshot()).toMatchObject({
      attemptTimeoutMs: 2_000,
      bulkhead: { maxConcurrent: 1 },
    });
  });

  it('reports an override without a target, with the known commands', async () => {
    const maker = making((service) => [
      commandOf(service, { timeout: '1s' }),
      commandOf(service, { timeout: '1s' }, 'films'),
    ]);
    const overrides = { boks: { timeout: '2s' }, films: { bulkhead: 3 } } as const;
    await expect(problemsOf({ providers: [maker], resilience: { overrides } })).resolves.toEqual([
      `ResilienceModule.forRoot(): overrides has 'boks', which is not a decorated class or method, a command, a pipeline, a circuit breaker, a rate limit or a bulkhead; there are *, books, films`,
      `ResilienceModule.forRoot(): overrides['films'] has bulkhead, but films has no such policy; an override can change policies, not add them`,
    ]);
  });

  it('says where a wrong option comes from', async () => {
    const maker = making((service) => commandOf(service, { retry: {} }));
    const overrides = { books: { retry: { maxRetries: 0.5 } } };
    await expect(problemsOf({ providers: [maker], resilience: { overrides } })).resolves.toEqual([
      `command 'books' retry: maxRetries (from overrides['books']) is 0.5; use a whole number of at least 0`,
    ]);
  });

  it('of its breaker can be changed at run time', async () => {
    const { service, registry } = await bootService();
    const command = commandOf(service, { circuitBreaker: { consecutiveFailures: 3 } });
    await outcome(command.execute(down));
    registry.reconfigure('books', { consecutiveFailures: 2 });
    await outcome(command.execute(down));
    expect(command.snapshot().circuitBreaker?.state).toBe('open');
    expect(optionsOf(command as never)).toEqual({ consecutiveFailures: 2 });
  });
});

describe('after the start, all problems are reported together of', () => {
  const options: object = { retry: 3, timeout: '1 sec' };
  it.each<[string, string, (service: ResilienceService) => unknown]>([
    ['a command', "command 'x'", (s) => s.command('x', { run: down, ...options })],
    ['a pipeline', "pipeline 'x'", (s) => s.pipeline('x', wrong(options))],
    ['an HTTP client', "HTTP client 'x'", (s) => s.createFetch({ name: 'x', ...options })],
  ])('%s', async (_, title, make) => {
    const { service } = await bootService();
    expect(problemsBy(() => make(service))).toEqual([
      `${title}: retry is 3; use an object with options`,
      expect.stringContaining(`${title} timeout: attempt is '1 sec'; use`),
    ]);
  });
});
