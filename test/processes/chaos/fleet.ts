import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Dice } from './dice.js';
import type { Book } from './book.js';
import type { Answer, InstanceSettings, Order } from './orders.js';
import { HOST } from '../../../sample/launcher/src/net.js';

/** Not node-redis 4: it ends its process when a connection breaks in the middle of an answer (4.7.1). */
const CLIENTS = ['node-redis', 'ioredis', 'node-redis'] as const;
export const INSTANCES = CLIENTS.length;

/** How long an application may take to close, and its process to end after that, milliseconds. */
const CLOSE_WITHIN = 1_000;
const END_WITHIN = 5_000;

export type Look = Extract<Answer, { type: 'look' }>;

/** One process of the fleet. */
export class Instance {
  fails = false;
  private looks = 0;
  private readonly awaited = new Map<number, (look: Look) => void>();
  private readonly closed: Promise<number>;
  private readonly exit: Promise<unknown>;

  constructor(
    readonly id: string,
    private readonly child: ChildProcess,
  ) {
    this.exit = once(child, 'exit');
    this.closed = new Promise((resolve) => {
      child.on('message', (answer: Answer) => {
        if (answer.type === 'closed') resolve(answer.closeMs);
        if (answer.type === 'look') this.awaited.get(answer.id)?.(answer);
      });
    });
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async ready(): Promise<void> {
    await once(this.child, 'message');
  }

  tell(order: Order): void {
    if (this.child.connected) this.child.send(order);
  }

  outage(fails: boolean): void {
    this.fails = fails;
    this.tell({ type: 'outage', fails });
  }

  /** @returns undefined when it does not answer in time */
  async look(): Promise<Look | undefined> {
    const id = ++this.looks;
    const answer = new Promise<Look>((resolve) => this.awaited.set(id, resolve));
    this.tell({ type: 'look', id });
    const look = await Promise.race([answer, sleep(1_000, undefined)]);
    this.awaited.delete(id);
    return look;
  }

  suspend(): void {
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exit;
  }

  /** Closes the application. @returns what was wrong with its end */
  async end(): Promise<string | undefined> {
    this.tell({ type: 'end' });
    const closeMs = await Promise.race([this.closed, sleep(10_000, undefined)]);
    const ended = closeMs === undefined ? undefined : this.exit;
    const exited = await Promise.race([ended, sleep(END_WITHIN, undefined)]);
    if (exited === undefined && this.alive) await this.kill();
    if (closeMs === undefined) return `${this.id} did not close`;
    if (closeMs > CLOSE_WITHIN) return `${this.id} took ${Math.round(closeMs)} ms to close`;
    if (exited === undefined) return `${this.id} did not end by itself after it had closed`;
    const { exitCode } = this.child;
    return exitCode === 0 ? undefined : `${this.id} ended with ${exitCode}`;
  }
}

/** The instances, each with its place: its wire and its kind of client. */
export class Fleet {
  readonly instances: Instance[] = [];
  private starts = 0;

  constructor(
    private readonly folder: string,
    private readonly ports: readonly number[],
    private readonly dice: Dice,
    private readonly book: Book,
  ) {}

  async start(): Promise<void> {
    for (let place = 0; place < INSTANCES; place++) this.instances.push(await this.launch(place));
  }

  /** Starts another one in the place of one that has ended. */
  async replace(place: number): Promise<void> {
    const former = this.instances[place]!;
    this.instances[place] = await this.launch(place);
    // The former instance was told of changes of its dependency meanwhile.
    this.instances[place].outage(former.fails);
  }

  outage(fails: boolean): void {
    for (const instance of this.instances) instance.outage(fails);
  }

  /** Ends everything that is left of it. */
  async destroy(): Promise<void> {
    await Promise.all(this.instances.filter(({ alive }) => alive).map((each) => each.kill()));
  }

  async looks(): Promise<(Look | undefined)[]> {
    return Promise.all(this.instances.map((instance) => instance.look()));
  }

  private async launch(place: number): Promise<Instance> {
    const id = `${'abc'[place]}${++this.starts}`;
    const settings: InstanceSettings = {
      id,
      url: `redis://resilience:password@${HOST}:${this.ports[place]}`,
      client: CLIENTS[place]!,
      ledger: join(this.folder, `${id}.ndjson`),
      seed: Math.floor(this.dice.between(0, 2 ** 31)),
    };
    this.book.add(settings.ledger);
    const script = fileURLToPath(new URL('instance/instance.js', import.meta.url));
    const child = fork(script, [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
    const instance = new Instance(id, child);
    await instance.ready();
    return instance;
  }
}
