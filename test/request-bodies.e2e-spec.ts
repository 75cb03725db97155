import {
  BadGatewayException,
  Body,
  Controller,
  type INestApplication,
  Post,
  Req,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FileInterceptor } from '@nestjs/platform-express';
import { Retry, constant } from '../src/index.js';
import {
  type Platform,
  type Served,
  appModule,
  closeAll,
  everyPlatform,
  of,
  platforms,
  quiet,
  watch,
} from './support/boot.js';
import { Visits, until } from './support/wait.js';

type RawBody = AsyncIterable<Buffer> & { readonly raw?: AsyncIterable<Buffer> };

const visits = new Visits();

/** Fails at the first attempt. */
function flaky(): void {
  if (visits.visit() === 1) throw new BadGatewayException();
}

async function textOf(request: RawBody): Promise<string> {
  let text = '';
  for await (const chunk of request.raw ?? request) text += String(chunk);
  return text;
}

@Controller()
@Retry({ maxRetries: 1, backoff: constant('1s') })
class Bodies {
  @Post('parsed')
  async parsed(@Body() body: { a: number }): Promise<number> {
    flaky();
    return body.a;
  }

  @Post('read')
  async read(@Req() request: RawBody): Promise<string> {
    const text = await textOf(request);
    flaky();
    return text;
  }

  @Post('unread')
  async unread(@Req() request: RawBody): Promise<string> {
    flaky();
    return textOf(request);
  }
}

@Controller()
class Uploads {
  @Post('upload')
  @UseInterceptors(FileInterceptor('file'))
  @Retry({ maxRetries: 1, backoff: constant('1s') })
  async upload(@UploadedFile() file: { size: number }): Promise<number> {
    flaky();
    return file.size;
  }
}

afterEach(closeAll);

describe.each(everyPlatform)('a body of a request on %s', (platform: Platform) => {
  let server: Served;

  beforeEach(async () => {
    visits.count = 0;
    const controllers = platform === 'Express' ? [Bodies, Uploads] : [Bodies];
    const { AppModule, clock } = appModule({ controllers });
    const adapter = await platforms[platform]();
    const app = await NestFactory.create<INestApplication>(AppModule, adapter, quiet);
    if (platform === 'Fastify') {
      // Leaves the body to the handler.
      const fastify = adapter.getInstance<{ addContentTypeParser: Function }>();
      const pass = (_request: unknown, _body: unknown, done: (error: null) => void) => done(null);
      fastify.addContentTypeParser('text/x-raw', pass);
    }
    await app.listen(0, '127.0.0.1');
    server = { app, clock, url: await app.getUrl(), ...watch(app) };
  });

  const post = (path: string, body: string | FormData, type?: string): Promise<Response> => {
    const headers = new Headers(type === undefined ? [] : [['content-type', type]]);
    return fetch(`${server.url}/${path}`, { method: 'POST', body, headers });
  };
  const afterRetry = async (answer: Promise<Response>): Promise<string> => {
    await until(() => server.clock.pending > 0);
    await server.clock.advance(1_000);
    return (await answer).text();
  };

  it('that has been parsed before the handler is there for each attempt', async () => {
    expect(await afterRetry(post('parsed', '{"a":1}', 'application/json'))).toBe('1');
    expect(visits.count).toBe(2);
  });

  it('that nobody has read yet is there for another attempt', async () => {
    expect(await afterRetry(post('unread', 'book', 'text/x-raw'))).toBe('book');
    expect(visits.count).toBe(2);
  });

  it('that an attempt has read is not looked for by another one', async () => {
    expect((await post('read', 'book', 'text/x-raw')).status).toBe(502);
    expect(visits.count).toBe(1);
    expect(of('retries-exhausted', server.events)).toMatchObject([{ reason: 'answered' }]);
  });

  (platform === 'Express' ? it : it.skip)('that is an upload is one of these', async () => {
    const form = new FormData();
    form.append('file', new Blob(['book']), 'book.txt');
    expect((await post('upload', form)).status).toBe(502);
    expect(visits.count).toBe(1);
  });
});
