import { Injectable } from '@nestjs/common';
import { type Command, hystrixGo, ResilienceService } from 'nest-resilience';
import { StorageClient } from '../storage/storage.client.js';
import type { Book } from './book.js';

/** The books as visitors see them; the notice says why the shelf is empty. */
export interface Shelf {
  readonly books: readonly Book[];
  readonly notice?: string;
}

/** The introductory example of hystrix-go: a function that talks to another service, and one for when that is down. */
@Injectable()
export class ShelfService {
  private readonly command: Command<[caller: AbortSignal], Shelf>;

  constructor(resilience: ResilienceService, storage: StorageClient) {
    this.command = resilience.command('my_command', {
      // The caller's signal stops the call, and with it the signal of its context.
      run: async ({ signal }, _caller: AbortSignal) => ({ books: await storage.books(signal) }),
      ...hystrixGo({
        timeout: '1s',
        maxConcurrentRequests: 10,
        errorPercentThreshold: 25,
        fallback: () => ({
          books: [],
          notice: 'We cannot reach our shelves. Please ask again soon.',
        }),
      }),
    });
  }

  find(caller: AbortSignal): Promise<Shelf> {
    return this.command.execute(caller);
  }
}
