import { HttpModule } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import { StorageClient } from './storage.client.js';

const MAX_ANSWER_BYTES = 5_000_000;

@Module({})
export class StorageModule {
  static register(baseURL: string): DynamicModule {
    return {
      module: StorageModule,
      imports: [
        HttpModule.register({
          baseURL,
          maxContentLength: MAX_ANSWER_BYTES,
          maxRedirects: 0,
          // A neighbour is reached directly, whatever HTTP_PROXY says.
          proxy: false,
        }),
      ],
      providers: [StorageClient],
      exports: [StorageClient],
    };
  }
}
