import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { ResilienceHttpModule } from '../src/axios/index.js';
import { ResilienceEventEmitterModule } from '../src/event-emitter/index.js';
import { HystrixStreamModule } from '../src/hystrix-stream/index.js';
import { ResilienceOpenTelemetryModule } from '../src/opentelemetry/index.js';
import { ResiliencePrometheusModule } from '../src/prometheus/index.js';
import { ResilienceModule, Retry, constant } from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { boot, closeAll, watch } from './support/boot.js';
import { Policed } from './support/policed.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

describe('forRootAsync()', () => {
  @Injectable()
  class Settings {
    @Policed()
    async load(): Promise<{ maxRetries: number }> {
      return { maxRetries: 1 };
    }
  }

  @Injectable()
  class S {
    calls = 0;
    @Retry({ backoff: constant(10) })
    async m(): Promise<never> {
      this.calls += 1;
      throw new Error('down');
    }
  }

  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  async function callsOfFailingMethod(library: ReturnType<typeof ResilienceModule.forRoot>) {
    @Module({ imports: [library], providers: [S] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    watch(app);
    const work = outcome(app.get(S).m());
    await clock.advance(1_000);
    expect((await work).error).toEqual(new Error('down'));
    return app.get(S).calls;
  }

  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock();
  });

  it('takes options from a factory that calls a decorated method of an injected provider', async () => {
    const library = ResilienceModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: async (settings: Settings) => ({
        clock,
        logger: false as const,
        defaults: { retry: await settings.load() },
      }),
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(2);
  });

  it('takes options from a factory class', async () => {
    @Injectable()
    class Options {
      constructor(private readonly settings: Settings) {}
      async createResilienceOptions() {
        return {
          clock,
          logger: false as const,
          defaults: { retry: await this.settings.load() },
        };
      }
    }
    const library = ResilienceModule.forRootAsync({
      imports: [SettingsModule],
      useClass: Options,
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(2);
  });

  it('takes options from an existing provider', async () => {
    const options = {
      createResilienceOptions: () => ({ clock, defaults: { retry: { maxRetries: 4 } } }),
    };
    @Module({ providers: [{ provide: 'options', useValue: options }], exports: ['options'] })
    class OptionsModule {}
    const library = ResilienceModule.forRootAsync({
      imports: [OptionsModule],
      useExisting: 'options',
    });
    await expect(callsOfFailingMethod(library)).resolves.toBe(5);
  });

  it('says what it needs when nothing is given', () => {
    expect(() => ResilienceModule.forRootAsync({})).toThrow(
      'ResilienceModule.forRootAsync(): needs useFactory, useClass or useExisting',
    );
  });

  it.each<[string, object]>([
    ['the options are null; use an object', null as never],
    ['the options are a promise; use an object', Promise.resolve({})],
    ['useFactory is 7; use a function', { useFactory: 7 }],
    ['has useFactory and useClass; use one of them', { useFactory: () => ({}), useClass: Object }],
    ['inject is function Object; use a list', { useFactory: () => ({}), inject: Object }],
    ['usefactory is not an option; the options are ', { usefactory: () => ({}) }],
  ])('is refused when it is wrong: %s', (told, options) => {
    expect(() => ResilienceModule.forRootAsync(options)).toThrow(
      `ResilienceModule.forRootAsync(): ${told}`,
    );
    expect(() => ResilienceHttpModule.registerAsync(options)).toThrow(
      `ResilienceHttpModule.registerAsync(): ${told}`,
    );
  });

  it('does not start with a class that makes no options', async () => {
    class NoFactory {}
    const library = ResilienceModule.forRootAsync({ useClass: NoFactory as never });
    await expect(boot({ resilience: false, imports: [library] })).rejects.toThrow(
      'ResilienceModule.forRootAsync(): NoFactory {} has no createResilienceOptions(), which makes the options',
    );
  });
});

/** Options that a module is given where a promise is not awaited, or something else. */
const modules: readonly [string, (options: never) => unknown][] = [
  ['ResilienceAdminModule.forRoot()', (options) => ResilienceAdminModule.forRoot(options)],
  ['HystrixStreamModule.forRoot()', (options) => HystrixStreamModule.forRoot(options)],
  [
    'ResilienceEventEmitterModule.forRoot()',
    (options) => ResilienceEventEmitterModule.forRoot(options),
  ],
  [
    'ResilienceOpenTelemetryModule.forRoot()',
    (options) => ResilienceOpenTelemetryModule.forRoot(options),
  ],
  [
    'ResiliencePrometheusModule.forRoot()',
    (options) => ResiliencePrometheusModule.forRoot(options),
  ],
  ['ResilienceHttpModule.register()', (options) => ResilienceHttpModule.register(options)],
];

describe.each(modules)('%s', (where, forRoot) => {
  it.each([
    ['null', null],
    ['a promise', Promise.resolve({})],
    ['[]', []],
    ['7', 7],
  ])('refuses %s', (shown, options) => {
    expect(() => forRoot(options as never)).toThrow(
      `${where}: the options are ${shown}; use an object`,
    );
  });
});
