import { Controller, Get } from '@nestjs/common';
import { get } from 'node:http';
import { type Served, closeAll, serve } from '../support/boot.js';
import { MemoryCache } from '../support/memory-cache.js';
import { answerFetch } from '../support/fetches.js';
import { OrdersClient } from './tenant.js';

@Controller()
class Orders {
  constructor(readonly client: OrdersClient) {}

  @Get()
  async orders(): Promise<unknown> {
    return this.client.orders();
  }
}

describe('the recipe for tenants', () => {
  let server: Served;
  let down: Set<string>;

  const ask = (tenant: string): Promise<string> =>
    new Promise((resolve, reject) => {
      get(server.url, { headers: { 'x-tenant': tenant } }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });

  beforeEach(async () => {
    down = new Set();
    answerFetch(({ pathname }) => {
      const tenant = pathname.slice(1);
      if (down.has(tenant)) return new Response('', { status: 503 });
      return Response.json([{ id: `order of ${tenant}` }]);
    });
    const providers = [OrdersClient, new MemoryCache().provider];
    server = await serve('Express', { controllers: [Orders], providers });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await closeAll();
  });

  it('keeps the trouble of one tenant from the others', async () => {
    down.add('anna');
    for (let calls = 0; calls < 30; calls++) await ask('anna');
    expect(server.registry.get('orders[anna]').state).toBe('open');
    expect(await ask('bob')).toContain('order of bob');
    expect(server.registry.get('orders[bob]').state).toBe('closed');
  });

  it('answers with the tenant’s own last orders', async () => {
    await ask('anna');
    await ask('bob');
    down.add('anna').add('bob');
    expect(await ask('bob')).toContain('order of bob');
    expect(await ask('anna')).toContain('order of anna');
    down.add('carl');
    expect(await ask('carl')).not.toContain('order');
  });
});
