import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { ResilienceEventEmitterModule } from '../src/event-emitter/index.js';
import { CircuitBreaker, ResilienceModule, type ResilienceEvent } from '../src/index.js';
import { boot, closeAll, quiet } from './support/boot.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class Books {
  @CircuitBreaker({ name: 'storagesvc', consecutiveFailures: 1 })
  async list(): Promise<void> {
    throw new Error('down');
  }
}

@Injectable()
class Pager {
  readonly told: ResilienceEvent[] = [];
  readonly all: string[] = [];

  @OnEvent('resilience.state-change')
  changed(event: ResilienceEvent): void {
    this.told.push(event);
    throw new Error('the pager is broken');
  }

  @OnEvent('resilience.*')
  any({ type }: ResilienceEvent): void {
    this.all.push(type);
  }
}

const emitters = EventEmitterModule.forRoot({ wildcard: true });

describe('the bridge to EventEmitter2', () => {
  it('emits every event by its kind; errors of listeners have no effect', async () => {
    const { app } = await boot({
      providers: [Books, Pager],
      imports: [emitters, ResilienceEventEmitterModule.forRoot()],
    });
    const emitter = app.get(EventEmitter2, { strict: false });
    emitter.on('resilience.call-end', () => {
      throw new Error('so is this');
    });
    await expect(outcome(app.get(Books).list())).resolves.toEqual({ error: new Error('down') });
    expect(app.get(Pager).told).toMatchObject([{ name: 'storagesvc', to: 'open' }]);
    expect(app.get(Pager).all).toEqual([
      'call-start',
      'attempt-start',
      'attempt',
      'state-change',
      // EventEmitter2 ends an emission with the first listener that throws.
    ]);
  });

  it('keeps the rejections of listeners to itself, and reports one per kind of event', async () => {
    const warn = jest.fn();
    const logger = { log: jest.fn(), debug: jest.fn(), error: jest.fn(), warn };
    const { app } = await boot({
      providers: [Books],
      imports: [emitters, ResilienceEventEmitterModule.forRoot({ kinds: ['attempt', 'rejected'] })],
      resilience: { logger, logging: false },
    });
    const heard: string[] = [];
    const fails = ({ type }: ResilienceEvent): unknown => {
      heard.push(type);
      return Promise.reject(new Error('the store is away'));
    };
    const emitter = app.get(EventEmitter2, { strict: false });
    for (const kind of ['attempt', 'rejected']) emitter.on(`resilience.${kind}`, fails);
    for (let call = 0; call < 3; call++) await outcome(app.get(Books).list());
    await settle();
    expect(heard).toEqual(['attempt', 'rejected', 'rejected']);
    const report = ['a listener of ResilienceEvents threw Error: the store is away'];
    expect(warn.mock.calls).toEqual([report, report]);
  });

  it('emits only the configured kinds, with the configured prefix', async () => {
    const { app } = await boot({
      providers: [Books],
      imports: [
        emitters,
        ResilienceEventEmitterModule.forRoot({ prefix: 'shop.breakers', kinds: ['state-change'] }),
      ],
    });
    const names: unknown[] = [];
    app.get(EventEmitter2, { strict: false }).onAny((name) => names.push(name));
    await outcome(app.get(Books).list());
    expect(names).toEqual(['shop.breakers.state-change']);
  });

  it('emits events while the application closes', async () => {
    const { app } = await boot({
      providers: [Books, Pager],
      imports: [emitters, ResilienceEventEmitterModule.forRoot({ kinds: ['state-change'] })],
    });
    const books = app.get(Books);
    Object.assign(books, { beforeApplicationShutdown: () => outcome(books.list()) });
    await app.close();
    expect(app.get(Pager).all).toEqual(['state-change']);
  });

  it('is silent once the application has closed', async () => {
    const { app } = await boot({
      providers: [Books],
      imports: [emitters, ResilienceEventEmitterModule.forRoot()],
    });
    const emitter = app.get(EventEmitter2, { strict: false });
    const books = app.get(Books);
    await closeAll();
    const heard = jest.fn();
    emitter.onAny(heard);
    await outcome(books.list());
    expect(heard).not.toHaveBeenCalled();
  });

  it.each([
    [{ kinds: ['state-chang'] }, /kinds is \[ 'state-chang' \]; use a list of 'call-start', /],
    [{ prefix: 7 }, /prefix is 7/],
    [{ prefixes: 'x' }, /prefixes is not an option/],
  ])('refuses %j', (options, problem) => {
    expect(() => ResilienceEventEmitterModule.forRoot(options as never)).toThrow(problem);
  });

  it.each([
    [
      'without forRoot()',
      [ResilienceModule.forRoot({ logger: false }), emitters, ResilienceEventEmitterModule],
      'use forRoot()',
    ],
    [
      'without EventEmitterModule',
      [ResilienceModule.forRoot({ logger: false }), ResilienceEventEmitterModule.forRoot()],
      'import EventEmitterModule.forRoot() too',
    ],
    [
      'without ResilienceModule',
      [emitters, ResilienceEventEmitterModule.forRoot()],
      'import ResilienceModule.forRoot() too',
    ],
  ])('names the missing module %s', async (_title, imports, problem) => {
    class AppModule {}
    Module({ imports })(AppModule);
    await expect(NestFactory.createApplicationContext(AppModule, quiet)).rejects.toThrow(problem);
  });
});
