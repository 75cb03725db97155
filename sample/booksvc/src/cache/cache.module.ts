import { CacheModule } from '@nestjs/cache-manager';
import type { DynamicModule } from '@nestjs/common';
import { redisKeyv } from './redis-keyv.js';

/** In memory, or in Redis when there is a URL. */
export function cacheModule(redisUrl: string | undefined): DynamicModule {
  return redisUrl === undefined
    ? CacheModule.register({ isGlobal: true })
    : CacheModule.registerAsync({
        isGlobal: true,
        useFactory: async () => ({ stores: [await redisKeyv(redisUrl)] }),
      });
}
