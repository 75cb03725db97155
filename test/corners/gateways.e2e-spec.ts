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
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CircuitBreaker,
  CircuitOpenError,
  ResilienceError,
  ResilienceExceptionFilter,
  Retry,
  Signal,
} from '../../src/index.js';
import { type Served, appModule, closeAll, platforms, quiet, watch } from '../support/boot.js';
import { hang } from '../support/handlers.js';
import { type Deferred, Visits, deferred, until } from '../support/wait.js';

const SECRET = 'secret-upstream';
const failing = { consecutiveFailures: 1, openFor: '4s' } as const;
const visits = new Visits();
const seen: unknown[] = [];
const lines: string[] = [];
const logger = {
  log() {},
  error() {},
  warn: (message: unknown) => void lines.push(String(message)),
};
let entered: Deferred<AbortSignal>;

@Catch(ResilienceError)
class TeamFilter implements ExceptionFilter {
  catch(error: ResilienceError, host: ArgumentsHost): void {
    seen.push(error);
    const client = host
      .switchToWs()
      .getClient<{ emit: Function; send: Function; readyState?: number }>();
    const data = { team: error.code };
    if (client.readyState === undefined) client.emit('exception', data);
    else client.send(JSON.stringify({ event: 'exception', data }));
  }
}

@Injectable()
class Shelf {
  @CircuitBreaker({ name: `${SECRET}-shelf`, ...failing })
  async books(): Promise<never> {
    throw new BadGatewayException();
  }
}

@WebSocketGateway()
class Gateway {
  constructor(readonly shelf: Shelf) {}

  @CircuitBreaker('connections')
  async handleConnection(): Promise<void> {}

  @CircuitBreaker('connections')
  async handleDisconnect(): Promise<void> {}

  @SubscribeMessage('good')
  @Retry()
  @CircuitBreaker('good')
  async good(): Promise<object> {
    visits.visit();
    return { event: 'books', data: 'books' };
  }

  @SubscribeMessage('message')
  @CircuitBreaker({ name: SECRET, ...failing })
  async message(): Promise<never> {
    throw new BadGatewayException();
  }

  @SubscribeMessage('undecorated')
  @UseFilters(ResilienceExceptionFilter)
  undecorated(): Promise<never> {
    return this.shelf.books();
  }

  @SubscribeMessage('team')
  @UseFilters(TeamFilter)
  @CircuitBreaker({ name: `${SECRET}-team`, ...failing })
  async team(): Promise<never> {
    throw new BadGatewayException();
  }

  @SubscribeMessage('signal')
  @CircuitBreaker('signalled')
  async signalled(@Signal() signal: AbortSignal): Promise<never> {
    entered.resolve(signal);
    return hang(signal);
  }

  @SubscribeMessage('bare signal')
  async bare(@Signal() signal: AbortSignal): Promise<void> {
    entered.resolve(signal);
  }
}

/** A connected client. */
interface Client {
  send(event: string): void;
  /** The next message of the server. */
  next(): Promise<{ event: string; data: unknown }>;
  close(): void;
}

/** The messages of a client, in order. */
class Inbox {
  private readonly messages: { event: string; data: unknown }[] = [];
  put(event: string, data: unknown): void {
    this.messages.push({ event, data });
  }
  async next(): Promise<{ event: string; data: unknown }> {
    await until(() => this.messages.length > 0);
    return this.messages.shift()!;
  }
}

/** Loaded on demand, since the adapters are heavy. */
const kinds = {
  'socket.io': {
    adapter: async (app: INestApplication) =>
      new (await import('@nestjs/platform-socket.io')).IoAdapter(app),
    async connect(url: string): Promise<Client> {
      const { io } = await import('socket.io-client');
      const socket = io(url, { transports: ['websocket'], reconnection: false });
      const inbox = new Inbox();
      for (const event of ['exception', 'books'])
        socket.on(event, (data) => inbox.put(event, data));
      await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
      return {
        send: (event) => void socket.emit(event, {}),
        next: () => inbox.next(),
        close: () => void socket.disconnect(),
      };
    },
  },
  ws: {
    adapter: async (app: INestApplication) =>
      new (await import('@nestjs/platform-ws')).WsAdapter(app),
    async connect(url: string): Promise<Client> {
      const { WebSocket } = await import('ws');
      const socket = new WebSocket(url.replace('http', 'ws'));
      const inbox = new Inbox();
      socket.on('message', (text: Buffer) => {
        const { event, data } = JSON.parse(text.toString()) as { event: string; data: unknown };
        inbox.put(event, data);
      });
      await new Promise((resolve) => socket.once('open', () => resolve(undefined)));
      return {
        send: (event) => socket.send(JSON.stringify({ event, data: {} })),
        next: () => inbox.next(),
        close: () => socket.close(),
      };
    },
  },
};

const rejected = {
  event: 'exception',
  data: {
    status: 'error',
    message: 'Service Unavailable',
    code: 'CIRCUIT_OPEN',
    retryAfterMs: 4_000,
  },
};

describe.each(Object.entries(kinds))('a message to a gateway of %s', (_, kind) => {
  let server: Served;
  let client: Client;

  /** Fails once, so that the circuit opens, and asks again. Nest 10 does not tell clients of `ws` about the failure. */
  const askOpen = async (event: string): Promise<unknown> => {
    client.send(event);
    await until(() => [...server.registry.list()].some(({ state }) => state === 'open'));
    client.send(event);
    for (;;) {
      const message = await client.next();
      const data = message.data as { code?: string; team?: string };
      if ((data.code ?? data.team) !== undefined) return message;
    }
  };

  beforeAll(async () => {
    const { AppModule, clock } = appModule({
      providers: [Gateway, Shelf],
      resilience: { logger },
    });
    const app = await NestFactory.create(AppModule, await platforms.Express(), quiet);
    app.useWebSocketAdapter(await kind.adapter(app));
    await app.listen(0, '127.0.0.1');
    server = { app, clock, url: await app.getUrl(), ...watch(app) };
  });

  beforeEach(async () => {
    entered = deferred();
    visits.count = 0;
    seen.length = 0;
    for (const { name } of server.registry.list()) {
      server.registry.get(name).clearOverride();
      server.registry.get(name).reset();
    }
    client = await kind.connect(server.url);
  });

  afterEach(() => client.close());
  afterAll(closeAll);

  it('runs its policies exactly once', async () => {
    client.send('good');
    expect(await client.next()).toEqual({ event: 'books', data: 'books' });
    expect(visits.count).toBe(1);
    expect(server.registry.get('good').counts).toMatchObject({ requests: 1, successes: 1 });
  });

  it('gives its client code and retry time of a rejection, and reveals no internals', async () => {
    expect(await askOpen('message')).toEqual(rejected);
  });

  it('without policies does so with the filter', async () => {
    expect(await askOpen('undecorated')).toEqual(rejected);
  });

  it('leaves its rejections to a filter of the application', async () => {
    expect(await askOpen('team')).toEqual({ event: 'exception', data: { team: 'CIRCUIT_OPEN' } });
    expect(seen).toEqual([expect.any(ResilienceError)]);
  });

  it('has its @Signal() aborted when the client goes, which is not counted', async () => {
    client.send('signal');
    const signal = await entered.promise;
    expect(signal.aborted).toBe(false);
    client.close();
    await until(() => signal.aborted);
    await until(() => server.registry.get('signalled').counts.ignored === 1);
  });

  it('has its @Signal() aborted when the client goes, without policies too', async () => {
    client.send('bare signal');
    const signal = await entered.promise;
    expect(signal.aborted).toBe(false);
    client.close();
    await until(() => signal.aborted);
    expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE' });
  });

  it('is not needed: a rejected hook causes one warning when a client comes or goes', async () => {
    server.registry.get('connections').forceOpen();
    lines.length = 0;
    const second = await kind.connect(server.url);
    second.close();
    await until(() => lines.length === 2);
    expect(lines).toEqual([
      'Gateway.handleConnection was rejected: circuit "connections" is open',
      'Gateway.handleDisconnect was rejected: circuit "connections" is open',
    ]);
    await expect(server.app.get(Gateway).handleConnection()).rejects.toThrow(CircuitOpenError);
  });

  it('leaves no listener on a connection that stays', async () => {
    for (let i = 0; i < 20; i++) {
      client.send('good');
      await client.next();
    }
    client.send('bare signal');
    const first = await entered.promise;
    entered = deferred();
    client.send('bare signal');
    expect(await entered.promise).toBe(first);
  });
});
