import { CacheModule } from '@nestjs/cache-manager';
import { Module } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { booksvcConfig } from '../config.js';
import { redisKeyv } from './redis-keyv.js';

/** Keeps answers in memory, or in Redis when there is a URL. */
@Module({
  imports: [
    CacheModule.registerAsync({
      isGlobal: true,
      inject: [booksvcConfig.KEY],
      useFactory: async ({ redisUrl }: ConfigType<typeof booksvcConfig>) =>
        redisUrl === undefined ? {} : { stores: [await redisKeyv(redisUrl)] },
    }),
  ],
})
export class AnswerCacheModule {}
