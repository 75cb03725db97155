import { BadGatewayException, Controller } from '@nestjs/common';
import {
  type ClientGrpcProxy,
  GrpcStreamCall,
  GrpcStreamMethod,
  Payload,
} from '@nestjs/microservices';
import { NEVER, type Observable, from, lastValueFrom, map, toArray } from 'rxjs';
import {
  CircuitBreaker,
  Fallback,
  Retry,
  Signal,
  constant,
  fallbackValue,
} from '../../src/index.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { startGrpc } from '../support/grpc.js';
import { type Deferred, Visits, deferred, outcome, until } from '../support/wait.js';

interface Message {
  readonly text: string;
}

/** The part of a call of @grpc/grpc-js that is used here. */
interface Duplex {
  on(event: string, listener: (message: Message) => void): void;
  write(message: Message): void;
  end(): void;
}

const visits = new Visits();
const retried = { maxRetries: 2, backoff: constant('1s') } as const;
let entered: Deferred<AbortSignal>;

function answer(messages: Observable<Message>): Observable<Message> {
  return messages.pipe(
    map(({ text }) => {
      if (text === 'bad') throw new BadGatewayException();
      return { text: `re: ${text}` };
    }),
  );
}

@Controller()
class Chat {
  @GrpcStreamMethod('Chat')
  @Retry(retried)
  async reads(messages: Observable<Message>): Promise<Observable<Message>> {
    visits.visit();
    return from(await lastValueFrom(answer(messages).pipe(toArray())));
  }

  @Retry(retried)
  @GrpcStreamMethod('Chat')
  breaks(messages: Observable<Message>): Observable<Message> {
    visits.visit();
    return answer(messages);
  }

  @GrpcStreamCall('Chat')
  @CircuitBreaker('chat')
  async call(@Payload() call: Duplex, @Signal() signal: AbortSignal): Promise<void> {
    entered.resolve(signal);
    await new Promise<void>((resolve) => {
      call.on('data', ({ text }) => call.write({ text: `re: ${text}` }));
      call.on('end', () => {
        call.end();
        resolve();
      });
    });
  }

  @GrpcStreamCall('Chat')
  @CircuitBreaker('upload')
  async upload(_call: Duplex, done: (error: null, message: Message) => void): Promise<void> {
    done(null, { text: 'got it' });
  }
}

describe('a stream of messages of a client over gRPC', () => {
  let server: Booted;
  let client: ClientGrpcProxy;
  let chat: Record<string, (messages: Observable<Message>) => Observable<Message>>;

  /** The texts that come back, and the error that ends them. */
  const send = async (method: string, ...texts: string[]): Promise<unknown[]> => {
    const got: unknown[] = [];
    const answers = chat[method]!(from(texts.map((text) => ({ text }))));
    const { error } = await outcome(
      lastValueFrom(
        answers.pipe(
          map(({ text }) => got.push(text)),
          toArray(),
        ),
      ),
    );
    return error === undefined ? got : [...got, (error as { code: number }).code];
  };

  beforeAll(async () => {
    ({ server, client } = await startGrpc('chat', { controllers: [Chat] }));
    chat = client.getService('Chat');
  });

  beforeEach(() => {
    visits.count = 0;
    entered = deferred();
    for (const { name } of server.registry.list()) server.registry.get(name).clearOverride();
  });

  afterAll(async () => {
    client.close();
    await closeAll();
  });

  it.each([
    ['answered with one that reads them', 'breaks'],
    ['read them itself', 'reads'],
  ])('is not begun again by another attempt of a method that has %s', async (_, method) => {
    expect(await send(method, 'bad', 'two')).toEqual([2]);
    expect(visits.count).toBe(1);
  });

  describe('with a call that sends the answer itself', () => {
    it('runs its policies exactly once', async () => {
      expect(await send('call', 'one', 'two')).toEqual(['re: one', 're: two']);
      expect(server.registry.get('chat').counts).toMatchObject({ requests: 1, successes: 1 });
    });

    it.each([
      ['call', 'chat'],
      ['upload', 'upload'],
    ])('is UNAVAILABLE while its circuit is open, and ends: %s', async (method, breaker) => {
      server.registry.get(breaker).forceOpen();
      expect(await send(method, 'one')).toEqual([14]);
    });

    it('has its @Signal() aborted when the client cancels', async () => {
      const call = chat.call!(NEVER).subscribe({ error: () => {} });
      const signal = await entered.promise;
      call.unsubscribe();
      await until(() => signal.aborted);
    });

    it('has no fallback', async () => {
      @Controller()
      class Lost {
        @GrpcStreamCall('Chat')
        @Fallback(fallbackValue({ text: 'later' }))
        async call(_call: Duplex): Promise<Message> {
          throw new BadGatewayException();
        }
      }
      const { error } = await outcome(boot({ controllers: [Lost] }));
      expect(String(error)).toContain('the handler sends its response itself');
    });
  });
});
