import { Readable } from 'node:stream';
import { Controller, Get, StreamableFile } from '@nestjs/common';
import { Timeout } from '../src/index.js';
import { type Platform, type Served, closeAll, everyPlatform } from './support/boot.js';
import { servingOn } from './support/handlers.js';
import { request } from './support/http.js';
import { type Deferred, Visits, deferred, settle } from './support/wait.js';

afterEach(closeAll);

// Nest 12 ends these answers itself, so these tests can only fail with Nest 10 and 11. The call's own part is in
// src/execution/streams/answer-streams.spec.ts.

/** A stream that stays open until the test ends it. */
const readable = (ended: Deferred): Readable =>
  new Readable({
    read() {},
    destroy: (_error, done) => {
      ended.resolve();
      done(null);
    },
  });

const webStream = (ended: Deferred): ReadableStream =>
  new ReadableStream({ cancel: () => ended.resolve() });

const answers: Record<string, (ended: Deferred) => unknown> = {
  'a StreamableFile': (ended) => new StreamableFile(readable(ended)),
  "a stream of Node's": readable,
  'a web stream': webStream,
  'a Response': (ended) => new Response(webStream(ended)),
};

describe.each(everyPlatform)('on %s', (platform: Platform) => {
  describe.each(Object.entries(answers))('%s that a handler answers with too late', (_, make) => {
    const visits = new Visits();
    let give: Deferred;
    let ended: Deferred;

    @Controller()
    class K {
      @Get()
      @Timeout('2s')
      async get(): Promise<unknown> {
        visits.visit();
        await give.promise;
        return make(ended);
      }
    }

    let server: Served;
    beforeEach(async () => {
      [give, ended] = [deferred(), deferred()];
      visits.count = 0;
      server = await servingOn(platform)(K);
    });

    it('is ended when its time is up', async () => {
      const { answer } = request(server.url);
      await visits.reached(1);
      await server.clock.advance(2_000);
      expect((await answer).status).toBe(504);
      give.resolve();
      await ended.promise;
    });

    it('is ended when its client has gone', async () => {
      const { answer, disconnect } = request(server.url);
      await visits.reached(1);
      disconnect();
      await answer.catch(() => {});
      for (let turn = 0; turn < 5; turn++) await settle();
      give.resolve();
      await ended.promise;
    });
  });
});
