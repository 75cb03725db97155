import { PrismaClient } from '../support/prisma-client.js';

// docs/recipes.md has the rest; there, the client is the one that Prisma has generated.

import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { protectProvider } from 'nest-resilience';

@Injectable()
export class PrismaService extends PrismaClient implements OnModuleDestroy {
  async onModuleDestroy(): Promise<void> {
    await this.$disconnect();
  }
}

@Injectable()
export class Books {
  constructor(private readonly prisma: PrismaService) {}

  async titles(): Promise<string[]> {
    return (await this.prisma.book.findMany()).map(({ title }) => title);
  }

  async add(title: string): Promise<void> {
    await this.prisma.book.create({ data: { title } });
  }
}

@Module({
  providers: [
    PrismaService,
    protectProvider(PrismaService, {
      name: 'prisma',
      members: ['book'], // the models
      methods: {
        'book.findMany': { retry: { maxRetries: 2 }, circuitBreaker: { name: 'books-database' } },
        $transaction: {}, // its queries go through the original client
      },
      '*': { circuitBreaker: { name: 'books-database' } },
    }),
    Books,
  ],
  exports: [Books],
})
export class BooksModule {}
