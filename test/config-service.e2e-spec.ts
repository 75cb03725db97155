import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import {
  type Overrides,
  ResilienceModule,
  type ResilienceModuleOptions,
  Retry,
  Timeout,
  overridesFromEnv,
} from '../src/index.js';
import { closeAll, quiet, watch } from './support/boot.js';

/*
 * The recipes of docs/configuration.md with the real `ConfigService`.
 */

const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-config-'));
const envFilePath = join(folder, '.env');
const VARIABLE = 'RESILIENCE__STORAGE_CLIENT__RETRY__MAX_RETRIES';

beforeAll(() => writeFileSync(envFilePath, `${VARIABLE}=2\n`));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  delete process.env[VARIABLE];
  await closeAll();
});

@Injectable()
class StorageClient {
  @Retry({ maxRetries: 9 })
  @Timeout('9s')
  async getBooks(): Promise<void> {}
}

async function optionsWith(
  load: () => object,
  useFactory: (config: ConfigService) => ResilienceModuleOptions,
): Promise<unknown> {
  @Module({
    imports: [
      ConfigModule.forRoot({ envFilePath, load: [load] }),
      ResilienceModule.forRootAsync({
        imports: [ConfigModule],
        inject: [ConfigService],
        useFactory,
      }),
    ],
    providers: [StorageClient],
  })
  class AppModule {}
  const { service } = watch(await NestFactory.createApplicationContext(AppModule, quiet));
  const { policies } = service.describe(StorageClient, 'getBooks');
  return Object.assign({}, ...policies.map(({ options }) => options));
}

describe('options from ConfigService', () => {
  const literal: Overrides = { StorageClient: { timeout: '1s', retry: { maxRetries: 1 } } };

  it('are merged with variables of its .env file, which win', async () => {
    const options = await optionsWith(
      () => ({ resilience: literal }),
      (config) => ({
        overrides: [config.get<Overrides>('resilience', {}), overridesFromEnv(process.env)],
      }),
    );
    expect(options).toEqual({ attempt: '1s', maxRetries: 2 });
  });

  it('may contain the variables', async () => {
    const env = { [VARIABLE]: '3' };
    const options = await optionsWith(
      () => ({ resilience: { overrides: { ...literal, ...overridesFromEnv(env) } } }),
      (config) => config.getOrThrow<ResilienceModuleOptions>('resilience'),
    );
    expect(options).toEqual({ attempt: '1s', maxRetries: 3 });
  });
});
