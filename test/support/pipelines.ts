import { Injectable } from '@nestjs/common';
import { UsePipeline, constant } from '../../src/index.js';

export const retry = { maxRetries: 1, backoff: constant('1s') };

@Injectable()
export class Storage {
  @UsePipeline('storagesvc')
  async call(work: () => unknown): Promise<unknown> {
    return work();
  }
}
