import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Controller, Get, Param, StreamableFile } from '@nestjs/common';
import { CircuitBreaker, Fallback, Retry, Timeout, constant } from '../src/index.js';
import { closeAll, everyPlatform, serve } from './support/boot.js';
import { until } from './support/wait.js';

afterEach(closeAll);

const breaker = { name: 'files', consecutiveFailures: 100 };
let sources: Readable[] = [];

/** A file from `source`. */
function file(source: Readable): StreamableFile {
  sources.push(source);
  return new StreamableFile(source);
}

/** Opens another stream whenever it is asked for one. */
class LazyFile extends StreamableFile {
  override getStream(): Readable {
    const source = Readable.from([Buffer.from('lazy')]);
    sources.push(source);
    return source;
  }
}

@Controller()
class Files {
  @Get('missing')
  @Fallback('instead')
  @Retry({ maxRetries: 2, backoff: constant(0) })
  @CircuitBreaker(breaker)
  async missing(): Promise<StreamableFile> {
    return file(createReadStream('/nowhere'));
  }

  instead(): StreamableFile {
    return new StreamableFile(Buffer.from('another'));
  }

  @Get('second')
  @Retry({ maxRetries: 2, backoff: constant(0) })
  @CircuitBreaker(breaker)
  async second(): Promise<StreamableFile> {
    return file(sources.length > 0 ? Readable.from(['sec', 'ond']) : createReadStream('/nowhere'));
  }

  @Get('slow')
  @CircuitBreaker(breaker)
  @Timeout('1s')
  async slow(): Promise<StreamableFile> {
    return file(new PassThrough());
  }

  @Get('slow-first')
  @Retry({ maxRetries: 1, backoff: constant(0) })
  @CircuitBreaker(breaker)
  @Timeout('1s')
  async slowFirst(): Promise<StreamableFile> {
    return file(sources.length > 0 ? Readable.from(['second']) : new PassThrough());
  }

  @Get('closed/:when')
  @Fallback('instead')
  @Retry({ maxRetries: 1, backoff: constant(0) })
  @CircuitBreaker(breaker)
  async closed(@Param('when') when: string): Promise<StreamableFile> {
    const source = new PassThrough();
    if (when === 'before') source.destroy();
    else setImmediate(() => source.destroy());
    return file(source);
  }

  @Get('lazy')
  @CircuitBreaker(breaker)
  async lazy(): Promise<StreamableFile> {
    return new LazyFile(Buffer.from('lazy'));
  }

  @Get('undecorated')
  async undecorated(): Promise<StreamableFile> {
    return new LazyFile(Buffer.from('lazy'));
  }

  @Get('empty')
  @CircuitBreaker(breaker)
  async empty(): Promise<StreamableFile> {
    return file(Readable.from([]));
  }

  @Get('nothing')
  @CircuitBreaker(breaker)
  async nothing(): Promise<StreamableFile> {
    return new StreamableFile(Buffer.alloc(0));
  }

  @Get('memory')
  @CircuitBreaker(breaker)
  async memory(): Promise<StreamableFile> {
    return new StreamableFile(Buffer.from('memory'));
  }

  @Get('long')
  @CircuitBreaker(breaker)
  async long(): Promise<StreamableFile> {
    return file(createReadStream(__filename));
  }

  @Get('broken')
  @Retry({ maxRetries: 2, backoff: constant(0) })
  @CircuitBreaker(breaker)
  async broken(): Promise<StreamableFile> {
    const source = new PassThrough();
    source.write('be');
    void setTimeout(5).then(() => source.destroy(new Error('the disk is gone')));
    return file(source);
  }
}

describe.each(everyPlatform)('on %s, a file', (platform) => {
  const served = async () => {
    sources = [];
    const { url, registry, clock } = await serve(platform, { controllers: [Files] });
    const get = async (path: string, method = 'GET') => {
      const response = await fetch(`${url}/${path}`, { method });
      return [response.status, await response.text()];
    };
    /** Lets the waits between attempts pass. */
    const retried = async (path: string) => {
      const answer = get(path);
      let pending = true;
      const ended = (): void => void (pending = false);
      void answer.then(ended, ended);
      while (pending) {
        await clock.advance(1);
        await setTimeout(1);
      }
      return answer;
    };
    const counts = () => registry.get('files').counts;
    return { get, retried, counts, clock };
  };

  it('that cannot be opened is retried, counted and answered by the fallback', async () => {
    const { retried, counts } = await served();
    expect(await retried('missing')).toEqual([200, 'another']);
    expect(sources).toHaveLength(3);
    expect(counts()).toMatchObject({ successes: 0, failures: 3 });
  });

  it('of the next attempt is sent as a whole', async () => {
    const { retried, counts } = await served();
    expect(await retried('second')).toEqual([200, 'second']);
    expect(counts()).toMatchObject({ successes: 1, failures: 1 });
  });

  it('whose first bytes are late is a timeout, and is closed', async () => {
    const { get, counts, clock } = await served();
    const answer = get('slow');
    await until(() => sources.length === 1);
    await clock.advance(1_000);
    expect(await answer).toEqual([504, expect.stringContaining('TIMEOUT')]);
    await until(() => sources[0]!.destroyed);
    expect(counts()).toMatchObject({ successes: 0, failures: 1 });
  });

  it('that is late gives way to the one of the next attempt', async () => {
    const { get, clock } = await served();
    const answer = get('slow-first');
    await until(() => sources.length === 1);
    await clock.advance(1_000);
    await clock.advance(1);
    expect(await answer).toEqual([200, 'second']);
    expect(sources[0]!.destroyed).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['nothing', ''],
    ['memory', 'memory'],
  ])('is sent as it is: %s', async (path, text) => {
    const { get, counts } = await served();
    expect(await get(path)).toEqual([200, text]);
    expect((await get(path, 'HEAD'))[1]).toBe('');
    expect(counts()).toMatchObject({ successes: 2, failures: 0 });
  });

  it.each(['before', 'after'])(
    'that is closed without a byte, %s the handler has answered, is a failure',
    async (when) => {
      const { retried, counts } = await served();
      expect(await retried(`closed/${when}`)).toEqual([200, 'another']);
      expect(counts()).toMatchObject({ successes: 0, failures: 2 });
    },
  );

  it('whose class opens another stream at each call is left to Nest', async () => {
    const { get } = await served();
    expect(await get('lazy')).toEqual([200, 'lazy']);
    const opened = sources.length;
    sources = [];
    expect(await get('undecorated')).toEqual([200, 'lazy']);
    expect(opened).toBe(sources.length);
  });

  it('is sent in all its parts', async () => {
    const { get } = await served();
    const [status, text] = await get('long');
    expect(status).toBe(200);
    expect(text).toContain('is sent in all its parts');
    expect(text).toMatch(/\n$/);
  });

  it('that breaks after its beginning is one failure more, and is not retried', async () => {
    const { get, counts } = await served();
    await get('broken').catch(() => {}); // Nest cuts it off since version 12
    await until(() => counts().failures === 1);
    expect(sources).toHaveLength(1);
    expect(counts()).toMatchObject({ requests: 2, successes: 1 });
  });
});
