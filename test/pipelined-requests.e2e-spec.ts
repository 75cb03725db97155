import { type Socket, connect } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { Bulkhead, BulkheadRegistry, Retry, Signal } from '../src/index.js';
import { administered } from './support/admin.js';
import { takeStock } from './support/admin-stream.js';
import { type Platform, closeAll, everyPlatform, serve } from './support/boot.js';
import { hang } from './support/handlers.js';
import { inside, streamingOn } from './support/hystrix-stream.js';
import { Visits, deferred, until } from './support/wait.js';

afterEach(closeAll);

/** Sends several requests at once on one connection, which HTTP/1.1 calls pipelining. */
function pipeline(url: string, ...paths: string[]): Socket {
  const { host, hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''));
  return socket;
}

const entered = new Visits();
let signals: AbortSignal[] = [];

function enter(signal: AbortSignal): AbortSignal {
  signals.push(signal);
  entered.visit();
  return signal;
}

@Controller()
class Books {
  @Get('policies')
  @Retry()
  @Bulkhead({ name: 'places', maxConcurrent: 20 })
  policies(@Signal() signal: AbortSignal): Promise<never> {
    return hang(enter(signal));
  }

  @Get('bare')
  bare(@Signal() signal: AbortSignal): Promise<never> {
    return hang(enter(signal));
  }

  @Get('slow')
  async slow(): Promise<string> {
    await turn.promise;
    return 'slow';
  }

  @Get('later')
  @Retry()
  async later(@Signal() signal: AbortSignal): Promise<string> {
    enter(signal);
    await new Promise((resolve) => setTimeout(resolve, 2));
    return 'later';
  }
}

let turn = deferred();

beforeEach(() => {
  entered.count = 0;
  signals = [];
  turn = deferred();
});

describe.each(everyPlatform)('pipelined requests on %s', (platform: Platform) => {
  it.each(['policies', 'bare'])(
    'all end when their client goes, those that wait for their turn as well: %s',
    async (kind) => {
      const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
      const { url, app } = await serve(platform, { controllers: [Books] });
      const client = pipeline(url, ...Array.from({ length: 12 }, () => `/${kind}`));
      await entered.reached(12);
      await new Promise((resolve) => setImmediate(resolve)); // calls listen from the next turn on
      client.destroy();
      await until(() => signals.every(({ aborted }) => aborted));
      for (const { reason } of signals) expect(reason).toMatchObject({ code: 'CLIENT_GONE' });
      const places = app.get(BulkheadRegistry).get('places');
      await until(() => places.snapshot().running === 0);
      expect(warned).not.toHaveBeenCalled(); // about too many listeners on the connection
      warned.mockRestore();
    },
  );

  it('are answered in turn, and none ends before', async () => {
    const { url } = await serve(platform, { controllers: [Books] });
    const client = pipeline(url, '/slow', '/later', '/later');
    let answers = '';
    client.setEncoding('utf8').on('data', (text: string) => (answers += text));
    await entered.reached(2);
    turn.resolve();
    await until(() => answers.endsWith('later') && answers.split('HTTP/1.1 200').length === 4);
    client.destroy();
    expect(answers.match(/^(slow|later)/gm)).toEqual(['slow', 'later', 'later']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('for the Hystrix stream give all their connections back', async () => {
    const { url, app } = await streamingOn(platform)();
    const client = pipeline(url, '/hystrix.stream', '/hystrix.stream', '/hystrix.stream');
    await until(() => inside(app).clients.size === 3);
    client.destroy();
    await until(() => inside(app).clients.size === 0);
  });

  it('for the stream of the management API give all their connections back', async () => {
    const { url, app } = await administered(platform)();
    const path = '/resilience/stream';
    const client = pipeline(url, path, path, path);
    await until(() => takeStock(app).clients.size === 3);
    client.destroy();
    await until(() => takeStock(app).clients.size === 0);
  });
});
