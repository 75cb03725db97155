import { Get } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Observable, firstValueFrom, of as just } from 'rxjs';
import { boot, closeAll } from '../../test/support/boot.js';
import { making, problemsBy, problemsOf } from '../../test/support/commands.js';
import {
  CircuitBreaker,
  ResilienceService,
  Retry,
  Timeout,
  UsePipeline,
  constant,
} from '../index.js';
import { decoratedMethodOf } from './methods/decorated-method.js';
import type { Planner } from './planner.js';
import { RUNTIME, type Runtime } from './runtime.js';
import type { Subject } from './subject.js';

afterEach(closeAll);

async function started(resilience = {}, providers: (new () => object)[] = []) {
  const { app, registry } = await boot({ providers, resilience });
  const runtime = app.get<Runtime>(RUNTIME, { strict: false });
  return { planner: runtime.planner, registry };
}

/** A planner whose application is being built, and the end of its start. */
async function starting(early: (planner: Planner) => void) {
  let planner!: Planner;
  const provider = {
    provide: 'early',
    inject: [ModuleRef, ResilienceService], // the latter has the runtime made
    useFactory: (modules: ModuleRef) => {
      ({ planner } = modules.get<Runtime>(RUNTIME, { strict: false }));
      early(planner);
    },
  };
  await boot({ providers: [provider] });
  return planner;
}

const command = (policies: object, name = 'find'): Subject => ({
  name,
  title: `command '${name}'`,
  owner: {},
  overrideKeys: [name],
  policies: new Map(Object.entries(policies)),
  pipeline: undefined,
  order: undefined,
  method: undefined,
  anyWork: false,
});

describe('the plan of a method', () => {
  class Parent {
    @CircuitBreaker('shelf')
    async m(): Promise<void> {}
  }
  @Timeout('1s')
  class Child extends Parent {}
  class Wrong {
    @CircuitBreaker({ name: 'wrong', openFor: -1 })
    async m(): Promise<void> {}
  }
  const decorated = decoratedMethodOf(Parent.prototype.m)!;

  it('is made once for each class, and once more without the policies of the class', async () => {
    const { planner } = await started();
    const plan = planner.planFor(decorated, Child);
    expect(planner.planFor(decorated, Child)).toBe(plan);
    expect(planner.planOf({ decorated, owner: Child, ownOnly: false })).toBe(plan);
    expect(plan.description.stages).toEqual(['circuit breaker', 'attempt timeout']);
    const own = planner.planOf({ decorated, owner: Child, ownOnly: true });
    expect(own.description.stages).toEqual(['circuit breaker']);
    expect(planner.planFor(decorated, Child)).toBe(plan);
    const ofParent = planner.planFor(decorated, Parent);
    expect(ofParent.description.name).toBe('Parent.m');
    expect(planner.planFor(decorated, Child)).toBe(plan);
  });

  it('is the one that was made when the application started', async () => {
    @Retry()
    class Shelf {
      async m(): Promise<void> {}
    }
    const { planner } = await started({}, [Shelf]);
    const method = decoratedMethodOf(Shelf.prototype.m)!;
    const plan = planner.planFor(method, Shelf);
    expect(planner.planFor(method, Shelf)).toBe(plan);
  });

  it('lacks the policies that overrides have switched off', async () => {
    const { planner } = await started({ overrides: { Child: { timeout: { enabled: false } } } }, [
      Child,
    ]);
    const { description, settings } = planner.planFor(decorated, Child);
    expect(description.stages).toEqual(['circuit breaker']);
    expect([...settings.keys()]).toEqual(['circuitBreaker']);
  });

  it('that is wrong is refused each time, and leaves no part behind', async () => {
    const { planner, registry } = await started();
    const wrong = decoratedMethodOf(Wrong.prototype.m)!;
    for (let time = 0; time < 2; time++) {
      expect(problemsBy(() => planner.planFor(wrong, Wrong))).toEqual([
        expect.stringMatching(/^Wrong\.m @CircuitBreaker: openFor is -1; /),
      ]);
    }
    expect(registry.names()).toEqual([]);
    const right = command({ circuitBreaker: { name: 'wrong', openFor: '1s' } });
    void planner.register(right).plan;
    expect(registry.names()).toEqual(['wrong']);
  });

  it('lets an Observable be its result where Nest subscribes to it, or where it is declared', async () => {
    class Handlers {
      @Retry()
      async promised(): Promise<void> {}
      @Retry()
      @Get()
      async handler(): Promise<void> {}
      @Retry()
      stream(): Observable<number> {
        return just(1);
      }
      @Retry()
      async *items(): AsyncGenerator<number> {}
    }
    const { planner } = await started();
    const may = (key: keyof Handlers): boolean =>
      planner.planFor(decoratedMethodOf(Handlers.prototype[key])!, Handlers).mayResolveToStream;
    expect([may('promised'), may('handler'), may('stream'), may('items')]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    await expect(firstValueFrom(new Handlers().stream())).resolves.toBe(1);
  });
});

describe('the plan of a command', () => {
  it('that is known before the start is made with the others', async () => {
    const planner = await starting((early) => {
      const lazy = early.register(command({ timeout: { total: '1s' } }));
      expect(lazy.planned).toBe(false);
    });
    expect(planner.subjects.map(({ name }) => name)).toEqual(['find']);
  });

  it('that was needed before the start stays the same', async () => {
    let lazy!: ReturnType<Planner['register']>;
    let plan: unknown;
    await starting((early) => {
      lazy = early.register(command({ timeout: { total: '1s' } }));
      ({ plan } = lazy);
    });
    expect(plan).toBeDefined();
    expect(lazy.plan).toBe(plan);
  });

  it('that comes after the start is made at once, or refused', async () => {
    const { planner } = await started();
    const lazy = planner.register(command({}));
    expect(lazy.planned).toBe(true);
    expect(problemsBy(() => planner.register(command({ timeout: { total: -1 } })))).toEqual([
      expect.stringMatching(/^command 'find' timeout: total is -1; /),
    ]);
    expect([...planner.all()]).toEqual([lazy.plan]); // the one that was refused is forgotten
  });
});

describe('the errors of a command are judged', () => {
  it('by the rule of its breaker, or by that of the library', async () => {
    const { planner } = await started();
    const judged = (policies: object): unknown =>
      planner.register(command(policies)).plan.outcomes.ofError(new Error('down'));
    expect(judged({})).toBe('failure');
    expect(judged({ circuitBreaker: { ignore: [Error] } })).toBe('ignored');
  });
});

describe('policies are checked together', () => {
  it('in their order: a wait may be longer than the total timeout of each attempt', async () => {
    class Shelf {
      @UsePipeline('books')
      async m(): Promise<void> {}
    }
    const books = { retry: { backoff: constant('2s') }, timeout: { total: '1s' } } as const;
    const told = (pipeline: object) =>
      problemsOf({ providers: [Shelf], resilience: { pipelines: { books: pipeline } } });
    await expect(told(books)).resolves.toEqual([
      expect.stringContaining('never fits into the total timeout (1000 ms)'),
    ]);
    await started({ pipelines: { books: { ...books, order: ['retry', 'total timeout'] } } }, [
      Shelf,
    ]);
  });
});

describe('problems that are found before the start', () => {
  it('are reported at startup; later ones at once', async () => {
    const refused = starting((early) => early.report(['find: one', 'find: two']));
    await expect(refused).rejects.toMatchObject({ problems: ['find: one', 'find: two'] });
    const { planner } = await started();
    planner.report([]);
    const late = (): void => planner.report(['find: late']);
    expect(late).toThrow(expect.objectContaining({ problems: ['find: late'] }));
  });
});

describe('the problem of a pipeline', () => {
  it('that does not exist has the names of those that do', async () => {
    class Shelf {
      @UsePipeline('absent')
      async m(): Promise<void> {}
    }
    const told = (pipelines: object | undefined) =>
      problemsOf({ providers: [Shelf], resilience: { pipelines } as never });
    await expect(told({ one: {}, two: {} })).resolves.toEqual([
      "Shelf.m: uses pipeline 'absent'; forRoot({ pipelines }) has one, two",
    ]);
    await expect(told(undefined)).resolves.toEqual([
      "Shelf.m: uses pipeline 'absent'; forRoot({ pipelines }) has none",
    ]);
  });

  it('is its order, where that leaves out a stage of a method or a command', async () => {
    class Shelf {
      @UsePipeline('books')
      @Timeout('1s')
      async m(): Promise<void> {}
    }
    const resilience = { pipelines: { books: { retry: {}, order: ['retry'] as const } } };
    const find = making((service) =>
      service.command('find', { run: () => 1, pipeline: 'books', timeout: '1s' }),
    );
    await expect(problemsOf({ providers: [Shelf, find], resilience })).resolves.toEqual([
      "Shelf.m: has the stage 'attempt timeout', which the order of its pipeline leaves out",
      "command 'find': has the stage 'attempt timeout', which the order of its pipeline leaves out",
    ]);
  });
});
