import { App } from './app.js';
import { ask, type Answer } from './client.js';
import { cleanEnvironment } from './environment.js';
import { FaultProxy } from './fault-proxy.js';
import { accepts, answersOk, freePort, HOST, until } from './net.js';

interface BreakerSnapshot {
  readonly name: string;
  readonly state: string;
}

/** What booksvc logs when an attempt has ended by itself or has been given up. */
const END_OF_ATTEMPT = '"event":"attempt"';

/** A booksvc process with a proxy of its own between it and storagesvc. */
export class Booksvc {
  readonly app: App;
  /** The attempts that the process has logged. */
  attempts = 0;

  constructor(
    private readonly port: number,
    readonly proxy: FaultProxy,
    settings: Readonly<Record<string, string>>,
    onDeath: (how: string) => void,
  ) {
    this.app = new App('booksvc', {
      probed: true,
      env: cleanEnvironment({ BOOKSVC_PORT: String(port), STORAGE_URL: proxy.url, ...settings }),
      onLine: (line) => {
        this.attempts += line.includes(END_OF_ATTEMPT) ? 1 : 0;
      },
      onDeath,
    });
  }

  async start(): Promise<void> {
    this.app.start();
    await until('booksvc listens', () => answersOk(`http://${HOST}:${this.port}/health`));
  }

  ask(path: string, signal?: AbortSignal): Promise<Answer> {
    return ask(`http://${HOST}:${this.port}${path}`, signal);
  }

  async breaker(name: string): Promise<string> {
    const { body } = await this.ask('/breakers');
    const breakers = JSON.parse(body) as BreakerSnapshot[];
    return breakers.find((breaker) => breaker.name === name)?.state ?? 'none';
  }
}

/** The processes of an experiment, on free ports, with everything that must be ended in the end. */
export class Bookshop {
  private readonly apps: App[] = [];
  private readonly proxies: FaultProxy[] = [];

  private constructor(
    readonly database: App,
    readonly storagesvc: App,
    /** Processes that ended though nobody ended them. */
    readonly deaths: string[],
    private readonly databasePort: number,
    private readonly storagesvcPort: number,
  ) {
    this.apps.push(database, storagesvc);
  }

  static async create(): Promise<Bookshop> {
    const databasePort = await freePort();
    const storagesvcPort = await freePort();
    const env = cleanEnvironment({
      DATABASE_PORT: String(databasePort),
      DATABASE_URL: `postgres://postgres:postgres@${HOST}:${databasePort}/postgres`,
      STORAGESVC_PORT: String(storagesvcPort),
    });
    const deaths: string[] = [];
    const app = (name: 'database' | 'storagesvc'): App =>
      new App(name, { env, onDeath: (how) => deaths.push(`${name}: ${how}`) });
    return new Bookshop(app('database'), app('storagesvc'), deaths, databasePort, storagesvcPort);
  }

  async startDatabase(): Promise<void> {
    this.database.start();
    await until('the database listens', () => accepts(this.databasePort));
  }

  async startStoragesvc(): Promise<void> {
    this.storagesvc.start();
    await until('storagesvc listens', () =>
      answersOk(`http://${HOST}:${this.storagesvcPort}/health`),
    );
  }

  async booksvc(settings: Readonly<Record<string, string>> = {}): Promise<Booksvc> {
    const proxy = new FaultProxy(this.storagesvcPort);
    await proxy.accept();
    this.proxies.push(proxy);
    const booksvc = new Booksvc(await freePort(), proxy, settings, (how) =>
      this.deaths.push(`booksvc: ${how}`),
    );
    this.apps.push(booksvc.app);
    await booksvc.start();
    return booksvc;
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.apps.map((app) => app.kill()),
      ...this.proxies.map((proxy) => proxy.refuse()),
    ]);
  }
}
