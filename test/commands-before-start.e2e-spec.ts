import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import {
  CircuitBreaker,
  type Command,
  ResilienceConfigurationError,
  ResilienceService,
  Retry,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import {
  bootService,
  commandOf,
  down,
  making,
  problemsBy,
  problemsOf,
  wrong,
} from './support/commands.js';
import { policyNames } from './support/policy-lists.js';
import { Visits, deferred, outcome } from './support/wait.js';

afterEach(closeAll);

describe('made in the constructor of a provider', () => {
  it('commands are checked at bootstrap, with everything else', async () => {
    @Injectable()
    class Books {
      constructor(@Inject(ResilienceService) service: ResilienceService) {
        service.command('list', { run: down, timeout: wrong('soon'), retry: { maxRetries: -1 } });
        service.command('find', { run: down, pipeline: 'storage' });
      }
      @Retry({ maxRetries: -2 })
      async m(): Promise<void> {}
      @CircuitBreaker({ name: 'storagesvc', failureRate: 0.5 })
      async n(): Promise<void> {}
    }
    const maker = making((service) =>
      service.command('films', {
        run: down,
        circuitBreaker: { name: 'storagesvc', failureRate: 1 },
      }),
    );
    const problems = await problemsOf({
      providers: [Books, maker],
      resilience: { random: wrong(7) },
    });
    expect([...problems].sort()).toEqual([
      'Books.m @Retry: maxRetries is -2; use a whole number of at least 0',
      'ResilienceModule.forRoot(): random is 7; use a function',
      `command 'films' circuitBreaker: "storagesvc" has other options at Books.n @CircuitBreaker: failureRate is 0.5 there and 1 here; use the same ones, or put them into forRoot({ configs })`,
      `command 'find': uses pipeline 'storage'; forRoot({ pipelines }) has none`,
      `command 'list' retry: maxRetries is -1; use a whole number of at least 0`,
      expect.stringMatching(/^command 'list' timeout: attempt is 'soon'; use milliseconds or a/),
    ]);
  });

  it('invalid definitions are reported together with all other problems', async () => {
    @Injectable()
    class Books {
      constructor(@Inject(ResilienceService) service: ResilienceService) {
        service.command('list', wrong({ run: down, retries: 3 }));
        service.command('', { run: down });
        service.command('find', wrong({ run: 'fast', retry: { maxRetries: -1 } }));
        service.command('none', wrong(down));
        service.pipeline('storagesvc', wrong({ order: 7 }));
      }
      @Retry({ maxRetries: -2 })
      async m(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [Books] });
    expect([...problems].sort()).toEqual([
      'Books.m @Retry: maxRetries is -2; use a whole number of at least 0',
      `command '': the name is ''; use a non-empty string`,
      `command 'find' retry: maxRetries is -1; use a whole number of at least 0`,
      `command 'find': run is 'fast'; use a function`,
      `command 'list': has "retries", which is not a policy; the policies are ${policyNames}`,
      expect.stringContaining(`command 'none': the policies are function down`),
      expect.stringContaining(`pipeline 'storagesvc': order is 7; use a list of `),
    ]);
  });

  it('a missing definition is reported too', async () => {
    const maker = making((service) => service.command('books', wrong(undefined)));
    await expect(problemsOf({ providers: [maker] })).resolves.toHaveLength(1);
  });

  it('names that are taken or unknown are reported too', async () => {
    const maker = making((service) => {
      commandOf(service, { timeout: '1s' });
      commandOf(service, { timeout: '2s' });
      service.pipeline('root', { retry: {} });
      service.pipeline('code', { retry: {} });
      service.pipeline('code', { bulkhead: 1 });
      service.pipeline('nowhere');
    });
    const problems = await problemsOf({
      providers: [maker],
      resilience: { pipelines: { root: { retry: { maxRetries: -1 } } } },
    });
    expect([...problems].sort()).toEqual([
      expect.stringContaining(
        `command 'books': is already defined with different options: timeout is`,
      ),
      expect.stringContaining(
        `pipeline 'code': is already defined with different options: retry is`,
      ),
      expect.stringContaining(
        `pipeline 'nowhere': there is none; give its policies, or use one of`,
      ),
      `pipeline 'root' retry: maxRetries (from pipelines['root']) is -1; use a whole number of at least 0`,
      `pipeline 'root': is defined in forRoot({ pipelines }); leave the policies out here`,
    ]);
  });

  it('their class fallbacks may be providers that come later', async () => {
    @Injectable()
    class Late {
      handle(): string {
        return 'late';
      }
    }
    const made = deferred<Command<[], string>>();
    const maker = making((service) =>
      made.resolve(
        service.command('books', { run: (): Promise<string> => down(), fallback: Late }),
      ),
    );
    await bootService({}, { providers: [maker, Late] });
    await expect((await made.promise).execute()).resolves.toBe('late');
  });
});

describe('before the application has started', () => {
  const policies = { circuitBreaker: { consecutiveFailures: 2 }, fallback: () => 'none' };

  it.each(['a constructor', 'a factory', 'onModuleInit'])(
    'commands work in %s, and keep their state',
    async (place) => {
      const visits = new Visits();
      const run = (): Promise<string> => {
        visits.visit();
        return down();
      };
      const early: Promise<string>[] = [];
      @Injectable()
      class Books implements OnModuleInit {
        readonly command: Command<[], string>;
        constructor(@Inject(ResilienceService) service: ResilienceService) {
          this.command = service.command('books', { run, ...policies });
          if (place === 'a constructor') early.push(this.command.execute());
        }
        onModuleInit(): void {
          if (place === 'onModuleInit') early.push(this.command.execute());
        }
      }
      const factory = {
        provide: 'factory',
        inject: [Books],
        useFactory: async ({ command }: Books) => {
          if (place === 'a factory') early.push(Promise.resolve(await command.execute()));
        },
      };
      const { app, registry } = await bootService({}, { providers: [Books, factory] });
      expect(early).toHaveLength(1);
      await expect(early[0]).resolves.toBe('none');
      expect(registry.get('books').counts).toMatchObject({ requests: 1, failures: 1 });
      await app.get(Books).command.execute();
      expect(registry.get('books').state).toBe('open');
      await app.get(Books).command.execute();
      expect(visits.count).toBe(2);
    },
  );

  it('running fallbacks count against their limit afterwards, too', async () => {
    const answer = deferred<string>();
    const early: Promise<string>[] = [];
    const made: Command<[], string>[] = [];
    const maker = making((service) => {
      const command = service.command('books', {
        run: (): Promise<string> => down(),
        fallback: { handler: () => answer.promise, maxConcurrent: 1 },
      });
      made.push(command);
      early.push(command.execute());
    });
    await bootService({}, { providers: [maker] });
    await expect(made[0]!.execute()).rejects.toThrow('down');
    answer.resolve('none');
    await expect(early[0]).resolves.toBe('none');
  });

  it('a wrong one fails at its use, and is still reported', async () => {
    const used: Promise<{ error?: unknown }>[] = [];
    const maker = making((service) => {
      const command = service.command('books', { run: down, retry: { maxRetries: -1 } });
      used.push(outcome(command.execute()), outcome(firstValueFrom(command.observe())));
      expect(problemsBy(() => command.queue())).toEqual([problem]);
    });
    const problem = `command 'books' retry: maxRetries is -1; use a whole number of at least 0`;
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([problem]);
    expect(used).toHaveLength(2);
    for (const { error } of await Promise.all(used)) {
      expect((error as ResilienceConfigurationError).problems).toEqual([problem]);
    }
  });
});

describe('made later', () => {
  it('commands are checked at once, and a corrected second try works', async () => {
    const { service, registry } = await bootService();
    const make = (minimumCalls: number): Command =>
      service.command('books', {
        run: down,
        circuitBreaker: { minimumCalls, failureRate: 0.5 },
        bulkhead: 2,
      });
    expect(problemsBy(() => make(0.5))).toEqual([
      `command 'books' circuitBreaker: minimumCalls is 0.5; use a whole number of at least 1`,
    ]);
    expect([...service.commands()]).toEqual([]);
    expect(registry.names()).toEqual([]);
    const command = make(5);
    await expect(command.execute()).rejects.toThrow('down');
    expect(command.snapshot().circuitBreaker?.limits.minimumCalls).toBe(5);
  });

  it('they report all their problems together', async () => {
    const { service } = await bootService();
    const problems = problemsBy(() =>
      commandOf(service, {
        retry: { maxRetries: -1 },
        bulkhead: 0,
        timeout: { attempt: '2s', total: '1s' },
      }),
    );
    expect(problems).toHaveLength(3);
  });

  it('they may not give an existing breaker other options', async () => {
    @Injectable()
    class S {
      @CircuitBreaker({ name: 'storagesvc', failureRate: 0.5 })
      async m(): Promise<void> {}
    }
    const { service } = await bootService({}, { providers: [S] });
    expect(
      problemsBy(() =>
        commandOf(service, { circuitBreaker: { name: 'storagesvc', failureRate: 1 } }),
      ),
    ).toEqual([
      `command 'books' circuitBreaker: "storagesvc" has other options at S.m @CircuitBreaker: failureRate is 0.5 there and 1 here; use the same ones, or put them into forRoot({ configs })`,
    ]);
    commandOf(service, { circuitBreaker: 'storagesvc' });
  });
});
