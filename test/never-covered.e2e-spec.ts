import {
  applyDecorators,
  Controller,
  Get,
  Injectable,
  type LoggerService,
  SetMetadata,
} from '@nestjs/common';
import {
  CommandHandler,
  CqrsModule,
  EventBus,
  type ICommand,
  type IEvent,
  Saga,
} from '@nestjs/cqrs';
import { Observable, map, of as just } from 'rxjs';
import { Bulkhead, CircuitBreaker, Fallback, Retry, Timeout, constant } from '../src/index.js';
import { boot, closeAll, everyPlatform, serve } from './support/boot.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

function logger(): { warnings: string[]; resilience: { logger: LoggerService } } {
  const warnings: string[] = [];
  const quiet = (): void => {};
  const warn = (message: string): void => void warnings.push(message);
  return { warnings, resilience: { logger: { log: quiet, error: quiet, debug: quiet, warn } } };
}

/** Like those of Nest's packages that are not installed here. */
const WebSocketGateway = (): ClassDecorator => SetMetadata('websockets:is_gateway', true);
const OnWorkerEvent = (): MethodDecorator => SetMetadata('bullmq:worker_events_metadata', {});
const OnQueueEvent = (): MethodDecorator => SetMetadata('bullmq:queue_events_metadata', {});
const OnQueueFailed = (): MethodDecorator => SetMetadata('bull:module_on_queue_event', {});

const OnlyOnce = (): ClassDecorator & MethodDecorator =>
  CircuitBreaker({ consecutiveFailures: 1 }) as ClassDecorator & MethodDecorator;

describe('policies of a class never cover', () => {
  it.each(['above', 'below'])('the hooks of a gateway, %s @WebSocketGateway()', async (order) => {
    class Gateway {
      told: string[] = [];
      async afterInit(): Promise<void> {
        this.told.push('init');
      }
      async handleConnection(): Promise<void> {
        this.told.push('in');
        throw new Error('down');
      }
      async handleDisconnect(): Promise<void> {
        this.told.push('out');
      }
      async other(): Promise<void> {}
    }
    const decorators = [WebSocketGateway(), OnlyOnce()];
    for (const decorate of order === 'above' ? decorators : decorators.reverse()) decorate(Gateway);
    const { app, registry, events } = await boot({ providers: [Gateway] });
    const gateway = app.get(Gateway);
    await gateway.afterInit();
    await expect(gateway.handleConnection()).rejects.toThrow('down');
    await expect(gateway.handleConnection()).rejects.toThrow('down');
    await gateway.handleDisconnect();
    expect(gateway.told).toEqual(['init', 'in', 'in', 'out']);
    expect(events).toEqual([]);
    expect(registry.names()).toEqual(['Gateway.other']);
  });

  it('the hooks of a gateway whose parent has the policies, while other classes may have methods of that name', async () => {
    @CircuitBreaker()
    class Parent {
      async handleConnection(): Promise<void> {}
    }
    @WebSocketGateway()
    class Gateway extends Parent {
      async handleDisconnect(): Promise<void> {}
    }
    @Injectable()
    class Pool extends Parent {}
    const { registry } = await boot({ providers: [Gateway, Pool] });
    expect(registry.names()).toEqual(['Pool.handleConnection']);
  });

  it('listeners of jobs and queues, asynchronous or not', async () => {
    @Injectable()
    @CircuitBreaker()
    class Processor {
      failures = 0;
      async process(): Promise<void> {}
      @OnWorkerEvent()
      failed(): void {
        this.failures += 1;
      }
      @OnWorkerEvent()
      async completed(): Promise<void> {}
      @OnQueueEvent()
      async waiting(): Promise<void> {}
      @OnQueueFailed()
      async old(): Promise<void> {}
    }
    const { warnings, resilience } = logger();
    const { app, registry } = await boot({ providers: [Processor], resilience });
    expect(app.get(Processor).failed()).toBeUndefined();
    expect(registry.names()).toEqual(['Processor.process']);
    expect(warnings).toEqual([]);
  });

  it('sagas of CQRS, whose first event may come at any time, those of a subclass included', async () => {
    const handled: string[] = [];
    class Sold implements IEvent {}
    class Restock implements ICommand {
      constructor(readonly by: string) {}
    }
    @CommandHandler(Restock)
    class RestockHandler {
      async execute({ by }: Restock): Promise<void> {
        handled.push(by);
      }
    }
    @Timeout('1s')
    @Bulkhead({ maxConcurrent: 1 })
    class Parent {
      @Saga()
      restock(events: Observable<IEvent>): Observable<ICommand> {
        return events.pipe(map(() => new Restock('parent')));
      }
    }
    @Injectable()
    class Sagas extends Parent {
      @Saga()
      count(events: Observable<IEvent>): Observable<ICommand> {
        return events.pipe(map(() => new Restock('child')));
      }
      async other(): Promise<void> {}
    }
    const { warnings, resilience } = logger();
    const imports = [CqrsModule.forRoot()];
    const providers = [Sagas, RestockHandler];
    const { app, clock, service } = await boot({ imports, providers, resilience });
    expect(service.describe(Sagas, 'other').stages).toEqual(['attempt timeout', 'bulkhead']);
    await clock.advance(10_000);
    app.get(EventBus).publish(new Sold());
    await settle();
    expect(handled.sort()).toEqual(['child', 'parent']);
    expect(warnings).toEqual([]);
  });

  it('lifecycle hooks of a subclass', async () => {
    @CircuitBreaker()
    class Parent {}
    @Injectable()
    class S extends Parent {
      async onModuleInit(): Promise<void> {}
      async onApplicationBootstrap(): Promise<void> {}
      async m(): Promise<void> {}
    }
    const { registry } = await boot({ providers: [S] });
    expect(registry.names()).toEqual(['S.m']);
  });

  it.each([
    ['@SetMetadata()', SetMetadata('audited', true)],
    ['applyDecorators()', applyDecorators(SetMetadata('audited', true))],
  ])('a synchronous method with %s', async (_, mark) => {
    @Injectable()
    @Retry()
    class S {
      @mark
      total(count: number): number {
        return count * 2;
      }
      @mark
      async later(): Promise<void> {}
    }
    const { app, service } = await boot({ providers: [S] });
    expect(app.get(S).total(12) + 5).toBe(29);
    expect(service.describe(S, 'later').stages).toEqual(['retry']);
    expect(() => service.describe(S, 'total')).toThrow('S.total is not decorated');
  });
});

describe('a method that answers as a fallback', () => {
  it('is not counted by a breaker of the class, nor turned away by it', async () => {
    @Injectable()
    @CircuitBreaker({ name: 'dependency', consecutiveFailures: 3 })
    class S {
      @Fallback('spare', { on: [Error] })
      async m(): Promise<string> {
        throw new Error('down');
      }
      async spare(): Promise<string> {
        return 'spare';
      }
    }
    const { app, registry } = await boot({ providers: [S] });
    for (let call = 0; call < 3; call++) await expect(app.get(S).m()).resolves.toBe('spare');
    expect(registry.get('dependency').state).toBe('open');
    await expect(app.get(S).m()).resolves.toBe('spare');
    // For other callers it is a method like any other.
    await expect(app.get(S).spare()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('keeps its own policies, and the methods that it calls keep all', async () => {
    @Injectable()
    @Retry({ maxRetries: 3, backoff: constant(0) })
    class S {
      spares = 0;
      helped = 0;
      @Retry({ maxRetries: 0 })
      @Fallback('spare', { on: [Error] })
      async m(): Promise<string> {
        throw new Error('down');
      }
      @CircuitBreaker({ name: 'spare' })
      async spare(): Promise<string> {
        this.spares += 1;
        return this.helper();
      }
      async helper(): Promise<string> {
        this.helped += 1;
        throw new Error('also down');
      }
    }
    const { app, clock, registry } = await boot({ providers: [S] });
    const call = outcome(app.get(S).m());
    await clock.advance(100);
    expect((await call).error).toEqual(new Error('also down'));
    expect(app.get(S)).toMatchObject({ spares: 1, helped: 4 });
    expect(registry.get('spare').counts.failures).toBe(1);
  });

  it('runs this way through a spy, in a subclass, and by super', async () => {
    @CircuitBreaker({ name: 'dependency' })
    class Parent {
      @Fallback('spare', { on: [Error] })
      async m(): Promise<string> {
        throw new Error('down');
      }
      async spare(): Promise<string> {
        return 'spare';
      }
    }
    @Injectable()
    class Child extends Parent {
      override async spare(): Promise<string> {
        return `${await super.spare()} of the child`;
      }
    }
    const { app, registry } = await boot({ providers: [Child] });
    jest.spyOn(app.get(Child), 'spare');
    await expect(app.get(Child).m()).resolves.toBe('spare of the child');
    expect(registry.get('dependency').counts.requests).toBe(1);
  });

  it.each(everyPlatform)('on a handler too, on %s', async (platform) => {
    @Controller()
    @CircuitBreaker({ name: 'dependency', consecutiveFailures: 1 })
    class K {
      @Get()
      @Fallback('spare', { on: [Error] })
      async m(): Promise<string> {
        throw new Error('down');
      }
      async spare(): Promise<string> {
        return 'spare';
      }
    }
    const { url, registry } = await serve(platform, { controllers: [K] });
    for (let call = 0; call < 2; call++) expect(await (await fetch(url)).text()).toBe('spare');
    expect(registry.get('dependency').counts).toMatchObject({ successes: 0 });
  });
});

describe('a declared return type that is not asynchronous', () => {
  class Money {}
  class Query {
    then(): void {}
  }
  const mark = applyDecorators(Retry() as MethodDecorator);

  it('is a problem under a decorator of ours', async () => {
    @Injectable()
    class S {
      @mark
      number(): number {
        return 1;
      }
      @mark
      list(): string[] {
        return [];
      }
      @mark
      money(): Money {
        return new Money();
      }
    }
    const booting = boot({ providers: [S] });
    await expect(booting).rejects.toThrow('S.number: returns number; a protected method has to');
    await expect(booting).rejects.toThrow('S.list: returns Array;');
    await expect(booting).rejects.toThrow('S.money: returns Money;');
  });

  it('is accepted where the type is uncertain, and on a handler', async () => {
    @Injectable()
    class S {
      @mark
      unknown(): object {
        return {};
      }
      @mark
      nothing(): void {}
      @mark
      thenable(): Query {
        return new Query();
      }
      @mark
      stream(): Observable<number> {
        return just(1);
      }
    }
    @Controller()
    class K {
      @Get()
      @mark
      text(): string {
        return 'text';
      }
    }
    const { service } = await boot({ providers: [S], controllers: [K] });
    expect(service.describe(S, 'thenable').stages).toEqual(['retry']);
  });

  it('is found in a lazily loaded class at its first call', async () => {
    @Injectable()
    class S {
      @mark
      number(): number {
        return 1;
      }
    }
    await boot();
    const call: unknown = new S().number();
    await expect(call).rejects.toThrow('S.number: returns number');
  });
});

describe('members that the policies of a class cannot cover are listed in one warning', () => {
  it('for each class: fields, static methods, accessors, methods not known to be asynchronous', async () => {
    @Retry()
    class Parent {
      static async make(): Promise<void> {}
      static size(): number {
        return 1;
      }
      find(): Promise<number> {
        return Promise.resolve(1);
      }
      notify(): void {
        this.find().catch(() => {});
      }
    }
    @Injectable()
    class S extends Parent {
      readonly send = async (): Promise<void> => {};
      readonly sync = (): number => 1;
      get latest(): Promise<number> {
        return Promise.resolve(1);
      }
      async covered(): Promise<void> {}
    }
    const { warnings, resilience } = logger();
    await boot({ providers: [S], resilience });
    expect(warnings).toEqual([
      'S: the policies on the class do not cover find (not recognizably asynchronous: if it returns a promise, make it `async`); send (a function in a field: make it a method); latest (an accessor: make it a method if it returns a promise); make (static: decorate it itself)',
    ]);
  });

  it('without a warning if all are covered, or the class has no policies', async () => {
    @Injectable()
    @Retry()
    class Covered {
      async m(): Promise<void> {}
    }
    @Injectable()
    class Without {
      readonly send = async (): Promise<void> => {};
      @Retry()
      async m(): Promise<void> {}
    }
    const { warnings, resilience } = logger();
    await boot({ providers: [Covered, Without], resilience });
    expect(warnings).toEqual([]);
  });

  it('including foreign methods that are not async', async () => {
    class Repository {
      find(): Promise<string[]> {
        return Promise.resolve([]);
      }
      async save(): Promise<void> {}
    }
    @Injectable()
    @CircuitBreaker()
    class Books extends Repository {}
    const { warnings, resilience } = logger();
    const { registry } = await boot({ providers: [Books], resilience });
    expect(registry.names()).toEqual(['Books.save']);
    expect(warnings).toEqual([
      expect.stringContaining('Books: the policies on the class do not cover find ('),
    ]);
  });
});

it('a policy that is applied twice to a class is a problem', async () => {
  @Injectable()
  @Retry({ maxRetries: 1 })
  @Retry({ maxRetries: 2 })
  class S {
    async m(): Promise<void> {}
  }
  await expect(boot({ providers: [S] })).rejects.toThrow('S @Retry: is applied twice; use it once');
});
