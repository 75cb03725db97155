import { App, type AppName } from '../../../../sample/launcher/src/app.js';
import { ask, type Answer } from './client.js';
import { cleanEnvironment } from './environment.js';
import { FaultProxy } from './fault-proxy.js';
import { Gateway } from './gateway.js';
import type { LoopbackServer } from './loopback-server.js';
import { ProbedApp } from './probed-app.js';
import { accepts, answersOk, freePort, HOST, until } from '../../../../sample/launcher/src/net.js';

type Settings = Readonly<Record<string, string>>;
type Upstream = Exclude<AppName, 'booksvc'>;

interface BreakerSnapshot {
  readonly name: string;
  readonly state: string;
  readonly override?: { readonly kind: string };
}

/** In the log of booksvc at the end of an attempt, whether it ended by itself or was given up. */
const END_OF_ATTEMPT = '"event":"attempt"';

/** A booksvc process with a proxy of its own between it and storagesvc. */
export class Booksvc {
  readonly app: ProbedApp;
  /** The attempts that the process has logged. */
  attempts = 0;

  constructor(
    private readonly port: number,
    readonly proxy: FaultProxy,
    settings: Settings,
    onDeath: (how: string) => void,
  ) {
    this.app = new ProbedApp('booksvc', {
      env: cleanEnvironment({ BOOKSVC_PORT: String(port), ...settings }),
      onLine: (line) => {
        this.attempts += line.includes(END_OF_ATTEMPT) ? 1 : 0;
      },
      onDeath,
    });
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  async start(): Promise<void> {
    this.app.start();
    await until('booksvc listens', () => answersOk(`${this.url}/health`));
  }

  ask(path: string, signal?: AbortSignal): Promise<Answer> {
    return ask(`${this.url}${path}`, signal);
  }

  /** Its state, or the override that is in force. */
  async breaker(name: string): Promise<string> {
    const { body } = await this.ask('/breakers');
    const breakers = JSON.parse(body) as BreakerSnapshot[];
    const found = breakers.find((breaker) => breaker.name === name);
    return found?.override?.kind ?? found?.state ?? 'none';
  }
}

/** The processes of an experiment, on free ports, with everything that has to be ended afterwards. */
export class Bookshop {
  private readonly apps: App[];
  private readonly servers: LoopbackServer[] = [];

  private constructor(
    readonly database: App,
    readonly storagesvc: App,
    private readonly shippingsvc: App,
    /** Processes that ended by themselves. */
    readonly deaths: string[],
    private readonly ports: Readonly<Record<Upstream, number>>,
  ) {
    this.apps = [database, storagesvc, shippingsvc];
  }

  static async create(): Promise<Bookshop> {
    const ports = {
      database: await freePort(),
      storagesvc: await freePort(),
      shippingsvc: await freePort(),
    };
    const env = cleanEnvironment({
      DATABASE_PORT: String(ports.database),
      DATABASE_URL: `postgres://postgres:postgres@${HOST}:${ports.database}/postgres`,
      STORAGESVC_PORT: String(ports.storagesvc),
      SHIPPINGSVC_PORT: String(ports.shippingsvc),
    });
    const deaths: string[] = [];
    const app = (name: Upstream): App =>
      new App(name, { env, onDeath: (how) => deaths.push(`${name}: ${how}`) });
    return new Bookshop(app('database'), app('storagesvc'), app('shippingsvc'), deaths, ports);
  }

  async startDatabase(): Promise<void> {
    this.database.start();
    await until('the database listens', () => accepts(this.ports.database));
  }

  startStoragesvc(): Promise<void> {
    return this.startService(this.storagesvc, this.ports.storagesvc);
  }

  startShippingsvc(): Promise<void> {
    return this.startService(this.shippingsvc, this.ports.shippingsvc);
  }

  /** A booksvc with a proxy of its own before storagesvc. */
  async booksvc(settings: Settings = {}): Promise<Booksvc> {
    const proxy = await this.open(new FaultProxy(this.ports.storagesvc));
    return this.startBooksvc(proxy, { STORAGE_URL: proxy.url, ...settings });
  }

  /** A booksvc that reaches storagesvc, behind its proxy, and shippingsvc under one address. */
  async booksvcBehindGateway(settings: Settings = {}): Promise<Booksvc> {
    const proxy = await this.open(new FaultProxy(this.ports.storagesvc));
    const { shippingsvc } = this.ports;
    const { url } = await this.open(new Gateway({ storagesvc: proxy.port, shippingsvc }));
    const urls = { STORAGE_URL: `${url}/storagesvc`, SHIPPING_URL: `${url}/shippingsvc` };
    return this.startBooksvc(proxy, { ...urls, ...settings });
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.apps.map((app) => app.kill()),
      ...this.servers.map((server) => server.refuse()),
    ]);
  }

  private async startService(app: App, port: number): Promise<void> {
    app.start();
    await until(`${app.name} listens`, () => answersOk(`http://${HOST}:${port}/health`));
  }

  private async startBooksvc(proxy: FaultProxy, settings: Settings): Promise<Booksvc> {
    const booksvc = new Booksvc(await freePort(), proxy, settings, (how) =>
      this.deaths.push(`booksvc: ${how}`),
    );
    this.apps.push(booksvc.app);
    await booksvc.start();
    return booksvc;
  }

  private async open<T extends LoopbackServer>(server: T): Promise<T> {
    this.servers.push(server);
    await server.accept();
    return server;
  }
}
