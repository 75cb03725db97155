import 'reflect-metadata';
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService } from '../../dist/esm/index.js';
import { HystrixStreamModule } from '../../dist/esm/hystrix-stream/index.js';
import { byKey } from './application.mjs';

const KEYS = 20_000;

/** How long a stream of 20,000 breakers by key blocks the event loop, milliseconds. */
export async function stream() {
  class Application {}
  Module({
    imports: [
      ResilienceModule.forRoot(),
      HystrixStreamModule.forRoot({ keys: true, maxConnections: 1 }),
    ],
  })(Application);
  const app = await NestFactory.create(Application, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/hystrix.stream`;
  const command = byKey(app.get(ResilienceService), KEYS);
  for (let key = 0; key < KEYS; key++) await command.execute(`key-${key}`);
  const probe = new Probe();
  const reader = read(url);
  await reader.until(KEYS); // the first pass warms up
  await reader.until(2 * KEYS);
  probe.restart();
  await reader.until(4 * KEYS);
  const { wall, cpu } = probe.stop();
  reader.end();
  await app.close();
  return { blockMs: Math.min(wall, cpu), blockWallMs: wall };
}

/**
 * The longest time between two turns of the event loop, also in processor time, since a busy machine takes the processor
 * away at times.
 */
class Probe {
  #running = true;
  #longest = { wall: 0, cpu: 0 };

  constructor() {
    this.#turn();
  }

  restart() {
    this.#longest = { wall: 0, cpu: 0 };
  }

  stop() {
    this.#running = false;
    return this.#longest;
  }

  #turn() {
    const [wall, cpu] = [performance.now(), cpuMs()];
    setImmediate(() => {
      const longest = this.#longest;
      longest.wall = Math.max(longest.wall, performance.now() - wall);
      longest.cpu = Math.max(longest.cpu, cpuMs() - cpu);
      if (this.#running) this.#turn();
    });
  }
}

const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`;
const known = existsSync(SCHEDULE);

/** Processor time of the main thread, milliseconds; where that is unavailable, time since its start. */
function cpuMs() {
  return known
    ? Number(readFileSync(SCHEDULE, 'latin1').split(' ', 1)[0]) / 1e6
    : performance.now();
}

/** A client in another process, so that its work is not measured. */
function read(url) {
  const child = fork(new URL('reader.mjs', import.meta.url), [url], { execArgv: [] });
  let events = 0;
  let wake = () => {};
  child.on('message', (count) => {
    events = count;
    wake();
  });
  return {
    until: (count) =>
      new Promise((done) => {
        wake = () => events >= count && done();
        wake();
      }),
    end: () => child.kill(),
  };
}
