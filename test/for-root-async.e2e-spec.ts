import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, Retry, constant } from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { closeAll, watch } from './support/boot.js';
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
      'ResilienceModule.forRootAsync() needs useFactory, useClass or useExisting',
    );
  });
});
