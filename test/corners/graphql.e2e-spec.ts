import {
  type ArgumentsHost,
  BadGatewayException,
  Catch,
  type ExceptionFilter,
  type INestApplication,
  Injectable,
  UseFilters,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Field,
  GraphQLModule,
  type GqlModuleOptions,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { GraphQLError } from 'graphql';
import { WebSocket } from 'ws';
import {
  CircuitBreaker,
  CircuitOpenError,
  ResilienceExceptionFilter,
  Retry,
  Signal,
  Timeout,
  constant,
} from '../../src/index.js';
import {
  type Platform,
  type Served,
  appModule,
  boot,
  closeAll,
  nestMajor,
  platforms,
  quiet,
  watch,
} from '../support/boot.js';
import { hang } from '../support/handlers.js';
import { type Deferred, Visits, deferred, outcome, settle, until } from '../support/wait.js';

const SECRET = 'secret-upstream';
const failing = { consecutiveFailures: 1, openFor: '4s' } as const;
const visits = new Visits();
let entered: Deferred<AbortSignal>;
let ended: Deferred;

@Catch(CircuitOpenError)
class TeamFilter implements ExceptionFilter {
  catch(error: CircuitOpenError, _host: ArgumentsHost): never {
    throw new GraphQLError('the team says no', { extensions: { code: `TEAM_${error.code}` } });
  }
}

@ObjectType()
class Book {
  @Field()
  title!: string;
}

@Injectable()
class Shelf {
  @CircuitBreaker({ name: `${SECRET}-shelf`, ...failing })
  async books(): Promise<never> {
    throw new BadGatewayException();
  }
}

@Resolver(() => Book)
class Books {
  constructor(readonly shelf: Shelf) {}

  @Query(() => Book)
  @Retry()
  @CircuitBreaker('query')
  async book(): Promise<Book> {
    visits.visit();
    return { title: 'Emma' };
  }

  @Mutation(() => Book)
  @Retry()
  @CircuitBreaker('mutation')
  async sell(): Promise<Book> {
    visits.visit();
    return { title: 'Emma' };
  }

  @ResolveField(() => String)
  @Retry()
  @CircuitBreaker('field')
  async author(): Promise<string> {
    visits.visit();
    return 'Austen';
  }

  @ResolveField(() => String)
  @CircuitBreaker({ name: `${SECRET}-field`, ...failing })
  async lostAuthor(): Promise<never> {
    throw new BadGatewayException();
  }

  @Query(() => Book)
  @CircuitBreaker({ name: SECRET, ...failing })
  async lost(): Promise<never> {
    throw new BadGatewayException();
  }

  @Query(() => Book)
  @UseFilters(ResilienceExceptionFilter)
  undecorated(): Promise<never> {
    return this.shelf.books();
  }

  @Query(() => Book)
  @UseFilters(ResilienceExceptionFilter)
  @Timeout('1s')
  async late(): Promise<never> {
    visits.visit();
    return hang();
  }

  @Query(() => Book)
  @UseFilters(TeamFilter)
  @CircuitBreaker({ name: `${SECRET}-team`, ...failing })
  async team(): Promise<never> {
    throw new BadGatewayException();
  }

  @Query(() => Book)
  @CircuitBreaker('signalled')
  async slow(@Signal() signal: AbortSignal): Promise<never> {
    entered.resolve(signal);
    return hang(signal);
  }

  @Query(() => Book)
  async slowBare(@Signal() signal: AbortSignal): Promise<never> {
    entered.resolve(signal);
    return hang(signal);
  }

  @Subscription(() => String)
  @Retry({ maxRetries: 2, backoff: constant('1s') })
  @CircuitBreaker('generator')
  @Timeout('5s')
  async *generated(): AsyncGenerator<object> {
    if (visits.visit() === 1) throw new BadGatewayException();
    yield { generated: 'one' };
    yield { generated: 'two' };
    throw new BadGatewayException('midway');
  }

  @Subscription(() => String)
  @Retry({ maxRetries: 2, backoff: constant('1s') })
  @CircuitBreaker('iterator')
  async iterated(): Promise<AsyncIterator<object>> {
    if (visits.visit() === 1) throw new BadGatewayException();
    return (async function* () {
      yield { iterated: 'one' };
      yield { iterated: 'two' };
    })();
  }

  @Subscription(() => String)
  @CircuitBreaker({ name: `${SECRET}-subscription`, ...failing })
  async *rejected(): AsyncGenerator<object> {
    yield { rejected: 'one' };
  }

  @Subscription(() => String)
  @CircuitBreaker({ name: 'midway', consecutiveFailures: 9 })
  async *rejectedMidway(): AsyncGenerator<object> {
    yield { rejectedMidway: 'one' };
    await this.shelf.books();
  }

  @Subscription(() => String)
  @UseFilters(TeamFilter)
  @CircuitBreaker({ name: 'filtered', consecutiveFailures: 9 })
  async *filteredMidway(): AsyncGenerator<object> {
    yield { filteredMidway: 'one' };
    await this.shelf.books();
  }

  @Subscription(() => String)
  @CircuitBreaker('endless')
  async *endless(@Signal() signal: AbortSignal): AsyncGenerator<object> {
    entered.resolve(signal);
    try {
      yield { endless: 'one' };
      await hang(signal);
    } finally {
      ended.resolve();
    }
  }
}

/** Loaded on demand, since the drivers are heavy. */
const apollo = async () => ({
  driver: (await import('@nestjs/apollo')).ApolloDriver,
  subscriptions: { 'graphql-ws': true },
  playground: false,
});

const kinds: Record<string, { platform: Platform; options: () => Promise<GqlModuleOptions> }> = {
  Apollo: { platform: 'Express', options: apollo },
  'Apollo on Fastify': { platform: 'Fastify', options: apollo },
  Mercurius: {
    platform: 'Fastify',
    options: async () => ({
      driver: (await import('@nestjs/mercurius')).MercuriusDriver,
      subscription: { fullWsTransport: true },
      graphiql: false,
    }),
  },
};

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}

describe.each(Object.entries(kinds))('GraphQL by %s', (driver, { platform, options }) => {
  let server: Served;

  const ask = async (query: string, signal?: AbortSignal): Promise<Answer> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
      ...(signal && { signal }),
    });
    return (await response.json()) as Answer;
  };

  /** Subscribes by the protocol of graphql-ws. */
  const subscribe = async (
    query: string,
  ): Promise<{ socket: WebSocket; messages: { type: string; payload?: unknown }[] }> => {
    const url = `${server.url.replace('http', 'ws')}/graphql`;
    const socket = new WebSocket(url, 'graphql-transport-ws');
    const messages: { type: string; payload?: unknown }[] = [];
    socket.on('message', (text: Buffer) => {
      const message = JSON.parse(text.toString()) as { type: string; payload?: unknown };
      if (message.type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      } else messages.push(message);
    });
    await new Promise((resolve) => socket.once('open', () => resolve(undefined)));
    socket.send(JSON.stringify({ type: 'connection_init' }));
    return { socket, messages };
  };

  beforeAll(async () => {
    const { AppModule, clock } = appModule({
      imports: [GraphQLModule.forRoot({ ...(await options()), autoSchemaFile: true })],
      providers: [Books, Shelf],
    });
    const app = await NestFactory.create<INestApplication>(
      AppModule,
      await platforms[platform](),
      quiet,
    );
    await app.listen(0, '127.0.0.1');
    server = { app, clock, url: await app.getUrl(), ...watch(app) };
  });

  beforeEach(() => {
    entered = deferred();
    ended = deferred();
    visits.count = 0;
    for (const { name } of server.registry.list()) {
      server.registry.get(name).clearOverride();
      server.registry.get(name).reset();
    }
  });

  afterAll(closeAll);

  const rejected = {
    message: 'Service Unavailable',
    extensions: { code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 },
  };

  describe.each([
    ['a query', '{ book { title } }', 'query', 1],
    ['a mutation', 'mutation { sell { title } }', 'mutation', 1],
    ['a field', '{ book { author } }', 'field', 2],
  ])('%s', (_title, query, breaker, calls) => {
    it('runs its policies exactly once', async () => {
      expect((await ask(query)).errors).toBeUndefined();
      expect(visits.count).toBe(calls);
      expect(server.registry.get(breaker).counts).toMatchObject({ requests: 1, successes: 1 });
    });
  });

  it.each([
    ['a query', '{ lost { title } }'],
    ['a field', '{ book { lostAuthor } }'],
    ['a query without policies but with the filter', '{ undecorated { title } }'],
  ])(
    '%s gives its client code and retry time of a rejection, and reveals no internals',
    async (_title, query) => {
      await ask(query);
      const answer = await ask(query);
      expect(answer.errors).toEqual([expect.objectContaining({ message: rejected.message })]);
      expect(answer.errors![0]!.extensions).toMatchObject(rejected.extensions);
      expect(JSON.stringify(answer)).not.toMatch(/secret|circuit "|Books/);
    },
  );

  it('a query that takes too long tells so, with the filter too', async () => {
    const answer = ask('{ late { title } }');
    await visits.reached(1);
    await server.clock.advance(1_000);
    expect((await answer).errors).toEqual([
      expect.objectContaining({
        message: 'Gateway Timeout',
        extensions: expect.objectContaining({ code: 'TIMEOUT' }),
      }),
    ]);
  });

  it('a query leaves its rejections to a filter of the application', async () => {
    await ask('{ team { title } }');
    expect((await ask('{ team { title } }')).errors).toEqual([
      expect.objectContaining({
        message: 'the team says no',
        extensions: expect.objectContaining({ code: 'TEAM_CIRCUIT_OPEN' }),
      }),
    ]);
  });

  it.each([
    ['with policies', '{ slow { title } }'],
    ['without policies', '{ slowBare { title } }'],
  ])('a query %s has its @Signal() aborted when the client goes', async (_title, query) => {
    const client = new AbortController();
    const answer = ask(query, client.signal).catch(() => {});
    const signal = await entered.promise;
    expect(signal.aborted).toBe(false);
    client.abort();
    await until(() => signal.aborted);
    await answer;
  });

  it.each([
    ['with policies', '{ slow { title } }'],
    ['without policies', '{ slowBare { title } }'],
  ])(
    'a query over WebSocket %s has its @Signal() aborted when the client goes',
    async (_title, query) => {
      const { socket } = await subscribe(query);
      const signal = await entered.promise;
      expect(signal.aborted).toBe(false);
      socket.close();
      await until(() => signal.aborted);
    },
  );

  it.each([
    ['a generator', 'generated', 'generator'],
    ['an iterator', 'iterated', 'iterator'],
  ])(
    'a subscription of %s is retried up to its first item, and sends none twice',
    async (_title, field, breaker) => {
      const { socket, messages } = await subscribe(`subscription { ${field} }`);
      await until(() => visits.count === 1 && server.clock.pending > 0);
      await server.clock.advance(1_000);
      await until(() => messages.length >= 2);
      socket.close();
      const items = messages.filter(({ type }) => type === 'next').slice(0, 2);
      expect(items.map(({ payload }) => payload)).toEqual([
        { data: { [field]: 'one' } },
        { data: { [field]: 'two' } },
      ]);
      expect(visits.count).toBe(2);
      expect(server.registry.get(breaker).counts).toMatchObject({ successes: 1 });
    },
  );

  it('a subscription that breaks after its first item is one failure more for the breaker', async () => {
    const { socket, messages } = await subscribe('subscription { generated }');
    await until(() => visits.count === 1 && server.clock.pending > 1);
    await server.clock.advance(1_000);
    await until(() => messages.length >= 2);
    await until(() => server.registry.get('generator').counts.failures === 2);
    socket.close();
    expect(visits.count).toBe(2);
  });

  it('a subscription gives its client code and retry time of a rejection', async () => {
    server.registry.get(`${SECRET}-subscription`).forceOpen();
    const { socket, messages } = await subscribe('subscription { rejected }');
    await until(() => messages.length > 0);
    socket.close();
    // Mercurius of Nest 10 sends nothing but the message.
    const told =
      driver === 'Mercurius' && nestMajor === 10 ? 'Service Unavailable' : 'CIRCUIT_OPEN';
    expect(JSON.stringify(messages)).toContain(told);
    expect(JSON.stringify(messages)).not.toMatch(/secret|circuit \\"|Books/);
  });

  it.each([
    ['', 'rejectedMidway'],
    [', which Nest gives to no filter', 'filteredMidway'],
  ])(
    'a subscription reveals no internals to its client when a rejection ends it midway%s',
    async (_title, field) => {
      server.registry.get(`${SECRET}-shelf`).forceOpen();
      const { socket, messages } = await subscribe(`subscription { ${field} }`);
      let reason = ''; // the server of Nest 10 reports errors when it closes the connection
      socket.once('close', (_code, told: Buffer) => (reason = told.toString()));
      await until(() => messages.length > 1 || reason !== '');
      socket.close();
      expect(messages[0]).toMatchObject({ payload: { data: { [field]: 'one' } } });
      const told = JSON.stringify(messages) + reason;
      expect(told).toContain('Service Unavailable');
      expect(told).not.toMatch(/secret|circuit \\"|Books/);
    },
  );

  it('a subscription ends when its client goes, without an error in the log', async () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {}); // of graphql-ws
    const { socket, messages } = await subscribe('subscription { endless }');
    const signal = await entered.promise;
    await until(() => messages.length > 0);
    expect(signal.aborted).toBe(false);
    socket.close();
    await ended.promise;
    expect(signal.aborted).toBe(true);
    await settle();
    expect(logged).not.toHaveBeenCalled();
    logged.mockRestore();
  });
});

describe('an entity of a federation', () => {
  @Resolver(() => Book)
  class Entities {
    constructor(readonly shelf: Shelf) {}
    @ResolveReference()
    @CircuitBreaker({ name: `${SECRET}-entity`, ...failing })
    async book(_reference: object): Promise<Book> {
      visits.visit();
      throw new BadGatewayException();
    }
    @ResolveReference()
    @CircuitBreaker('outer')
    async below(_reference: object): Promise<Book> {
      return this.shelf.books();
    }
  }

  afterAll(closeAll);

  it.each(['book', 'below'] as const)(
    'gives its client code and retry time of a rejection, and reveals no internals: %s',
    async (key) => {
      const entities = (await boot({ providers: [Entities, Shelf] })).app.get(Entities);
      await outcome(entities[key]({ title: 'Emma' }));
      const { error } = await outcome(entities[key]({ title: 'Emma' }));
      expect(error).toMatchObject({
        message: 'Service Unavailable',
        extensions: { code: 'CIRCUIT_OPEN', retryAfterMs: 4_000 },
      });
    },
  );
});
