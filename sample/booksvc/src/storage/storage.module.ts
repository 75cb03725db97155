import { type DynamicModule, Module } from '@nestjs/common';
import { UpstreamModule } from '../http/upstream.module.js';
import { StorageClient } from './storage.client.js';

@Module({})
export class StorageModule {
  static register(baseURL: string): DynamicModule {
    return {
      module: StorageModule,
      imports: [UpstreamModule.forFeature({ service: 'storagesvc', goods: 'The books' }, baseURL)],
      providers: [StorageClient],
      exports: [StorageClient, UpstreamModule],
    };
  }
}
