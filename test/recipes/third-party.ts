import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { Injectable, Module } from '@nestjs/common';
import { protectProvider } from 'nest-resilience';

@Injectable()
export class Carts {
  constructor(private readonly dynamo: DynamoDBClient) {}

  async has(id: string): Promise<boolean> {
    const command = new GetItemCommand({ TableName: 'carts', Key: { id: { S: id } } });
    return (await this.dynamo.send(command)).Item !== undefined;
  }
}

@Module({
  providers: [
    Carts,
    // The policies retry: the SDK itself sends once.
    { provide: DynamoDBClient, useFactory: () => new DynamoDBClient({ maxAttempts: 1 }) },
    protectProvider(DynamoDBClient, {
      name: 'dynamo',
      methods: {
        send: {
          retry: { maxRetries: 3 },
          circuitBreaker: { failureRate: 0.5, window: '10s' },
          timeout: '1s',
        },
      },
    }),
  ],
})
export class CartsModule {}
