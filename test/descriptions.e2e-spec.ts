import { Injectable } from '@nestjs/common';
import { ResilienceService, Retry, Timeout } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

@Injectable()
class Shop {
  @Retry({ maxRetries: 2 })
  async books(): Promise<void> {}

  @Timeout('1s')
  async reviews(): Promise<void> {}
}

describe('the descriptions of everything protected', () => {
  it('contain methods, commands and pipelines, each name once, whenever they were made', async () => {
    const { service } = await boot({ providers: [Shop] });
    service.command('prices', { run: () => 1, timeout: '2s' });
    service.command('prices', { run: () => 2, timeout: '2s' });
    service.pipeline('outgoing', { retry: {} });
    const described = [...service.descriptions()];
    expect(described.map(({ name, stages }) => [name, stages])).toEqual([
      ['Shop.books', ['retry']],
      ['Shop.reviews', ['attempt timeout']],
      ['prices', ['attempt timeout']],
      ['outgoing', ['retry']],
    ]);
  });

  it('have the options in force, with overrides', async () => {
    const overrides = { 'Shop.books': { retry: { maxRetries: 5 } } };
    const { service } = await boot({ providers: [Shop], resilience: { overrides } });
    const [books] = service.descriptions();
    expect(books!.policies).toEqual([{ kind: 'retry', options: { maxRetries: 5 } }]);
  });

  it('contain commands defined before the start once', async () => {
    const { service } = await boot({
      providers: [
        {
          provide: 'early',
          inject: [ResilienceService],
          useFactory: (resilience: ResilienceService) =>
            resilience.command('early', { run: () => 1, timeout: '1s' }),
        },
      ],
    });
    expect(Array.from(service.descriptions(), ({ name }) => name)).toEqual(['early']);
  });
});
