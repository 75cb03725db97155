import { Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import {
  type Overrides,
  ResilienceModule,
  Retry,
  Timeout,
  overridesFromEnv,
} from 'nest-resilience';

const settings = () => ({
  resilience: { StorageClient: { timeout: '500ms' } } satisfies Overrides,
});

@Injectable()
export class StorageClient {
  @Retry({ maxRetries: 3 })
  @Timeout('2s')
  async getBooks(): Promise<string[]> {
    const response = await fetch('https://storage.internal/books');
    return (await response.json()) as string[];
  }
}

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [settings] }),
    ResilienceModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        overrides: [
          config.getOrThrow<Overrides>('resilience'),
          overridesFromEnv(process.env), // those of a .env file, too
        ],
      }),
    }),
  ],
  providers: [StorageClient],
})
export class AppModule {}
