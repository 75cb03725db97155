import { Module } from '@nestjs/common';
import { UpstreamModule } from '../http/upstream.module.js';
import { StorageClient } from './storage.client.js';

@Module({
  imports: [
    UpstreamModule.register({
      service: 'storagesvc',
      goods: 'The books',
      url: ({ storageUrl }) => storageUrl,
    }),
  ],
  providers: [StorageClient],
  exports: [StorageClient, UpstreamModule],
})
export class StorageModule {}
