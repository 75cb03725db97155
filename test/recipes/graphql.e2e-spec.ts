import { BadGatewayException } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { type Served, closeAll, serve } from '../support/boot.js';
import { Visits, until } from '../support/wait.js';
import { type Book, BooksResolver, Library } from './graphql.js';

const visits = new Visits();
let failures = 0;
let rated = true;

class Shelf extends Library {
  async books(): Promise<Book[]> {
    visits.visit();
    if (failures-- > 0) throw new BadGatewayException('secret');
    return [{ title: 'Emma' }];
  }
  async rating(): Promise<number> {
    if (!rated) throw new BadGatewayException('secret');
    return 4.5;
  }
}

describe('the recipe for GraphQL', () => {
  let server: Served;

  const ask = async (): Promise<unknown> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ books { title rating } }' }),
    });
    return response.json();
  };

  beforeAll(async () => {
    const { MercuriusDriver } = await import('@nestjs/mercurius');
    server = await serve('Fastify', {
      imports: [GraphQLModule.forRoot({ driver: MercuriusDriver, autoSchemaFile: true })],
      providers: [BooksResolver, { provide: Library, useClass: Shelf }],
    });
  });

  beforeEach(() => {
    visits.count = failures = 0;
    rated = true;
    for (const { name } of server.registry.list()) server.registry.get(name).reset();
  });

  afterAll(closeAll);

  it('asks again for books', async () => {
    failures = 1;
    const answer = ask();
    await visits.reached(1);
    await until(() => server.clock.pending > 0);
    await server.clock.advance(1_000);
    expect(await answer).toEqual({ data: { books: [{ title: 'Emma', rating: 4.5 }] } });
    expect(visits.count).toBe(2);
  });

  it('has books without ratings', async () => {
    rated = false;
    expect(await ask()).toEqual({ data: { books: [{ title: 'Emma', rating: null }] } });
  });

  it('tells clients the code of a rejection, and no internals', async () => {
    server.registry.get('library').forceOpen();
    expect(await ask()).toMatchObject({
      errors: [{ extensions: { code: 'CIRCUIT_OPEN' } }],
    });
    expect(JSON.stringify(await ask())).not.toContain('library');
  });
});
