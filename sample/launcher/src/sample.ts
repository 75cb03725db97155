import { EnvReader } from '#common/env.js';
import { App, type AppName, type Environment } from './app.js';
import { closeControl, openControl } from './control-server.js';
import { onInterrupt } from './interrupt.js';
import { accepts, answersOk, freePort, HOST, isFree, until } from './net.js';

interface Settings {
  readonly ports: Readonly<Record<AppName, number>>;
  readonly databaseUrl: string | undefined;
}

const PORT_VARIABLES = {
  database: 'DATABASE_PORT',
  storagesvc: 'STORAGESVC_PORT',
  shippingsvc: 'SHIPPINGSVC_PORT',
  booksvc: 'BOOKSVC_PORT',
} as const;

/** The database alone takes half a minute on a busy machine. */
const START_TIMEOUT_MS = 180_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function readSettings(): Promise<Settings> {
  const read = new EnvReader(process.env);
  // Only booksvc has to know its port.
  const shippingsvc = (await isFree(8083)) ? 8083 : await freePort();
  return read.done({
    ports: {
      database: read.port('DATABASE_PORT', 5433),
      storagesvc: read.port('STORAGESVC_PORT', 8082),
      shippingsvc: read.port('SHIPPINGSVC_PORT', shippingsvc),
      booksvc: read.port('BOOKSVC_PORT', 8081),
    },
    databaseUrl: read.optionalUrl('DATABASE_URL', 'postgres', 'postgresql'),
  });
}

class Sample {
  private readonly apps: readonly App[];
  private ready = false;
  private stopping: Promise<void> | undefined;

  constructor(private readonly settings: Settings) {
    const names: AppName[] = ['database', 'storagesvc', 'shippingsvc', 'booksvc'];
    // An external database is used as it is.
    const own = settings.databaseUrl === undefined ? names : names.slice(1);
    const env = this.environment();
    this.apps = own.map(
      (name) => new App(name, { env, onLine: say, onDeath: (how) => this.died(name, how) }),
    );
  }

  async start(): Promise<void> {
    const busy: string[] = [];
    for (const { name } of this.apps) {
      const port = this.settings.ports[name];
      if (!(await isFree(port))) {
        busy.push(
          `Port ${port}, where ${name} is to listen, is in use. ` +
            `Stop what uses it, or choose another: ${PORT_VARIABLES[name]}=${port + 1000} npm run sample`,
        );
      }
    }
    if (busy.length > 0) {
      throw new Error(busy.join('\n'));
    }
    this.apps.forEach((app) => app.start());
    for (const app of this.apps) {
      await this.untilHealthy(app);
    }
    await openControl(this.apps, (app) => this.untilHealthy(app));
    this.ready = true;
    say(this.welcome());
  }

  get isStopping(): boolean {
    return this.stopping !== undefined;
  }

  stop(): Promise<void> {
    this.stopping ??= (async () => {
      closeControl();
      await Promise.all(this.apps.map((app) => app.stop()));
    })();
    return this.stopping;
  }

  private died(name: AppName, how: string): void {
    if (this.ready && !this.isStopping) {
      const start = name === 'booksvc' ? '' : ` Start it again: npm run sample:${name} -- start`;
      say(`\n${name} has died (${how}). The others go on.${start}\n`);
    }
  }

  private async untilHealthy(app: App): Promise<void> {
    const port = this.settings.ports[app.name];
    const paths = { storagesvc: '/books', shippingsvc: '/health', booksvc: '/' };
    const check =
      app.name === 'database'
        ? () => accepts(port)
        : answersOk.bind(undefined, `http://${HOST}:${port}${paths[app.name]}`);
    const healthy = async (): Promise<boolean> => {
      if (!app.running) {
        throw new Error(`${app.name} has ended before it was healthy; its last lines say why.`);
      }
      return check();
    };
    await until(`${app.name} is healthy`, healthy, { timeoutMs: START_TIMEOUT_MS });
  }

  private environment(): Environment {
    const { ports, databaseUrl } = this.settings;
    return {
      ...(process.env as Environment),
      DATABASE_PORT: String(ports.database),
      DATABASE_URL:
        databaseUrl ?? `postgres://postgres:postgres@${HOST}:${ports.database}/postgres`,
      STORAGESVC_PORT: String(ports.storagesvc),
      STORAGE_URL: process.env['STORAGE_URL'] ?? `http://${HOST}:${ports.storagesvc}`,
      SHIPPINGSVC_PORT: String(ports.shippingsvc),
      SHIPPING_URL: process.env['SHIPPING_URL'] ?? `http://${HOST}:${ports.shippingsvc}`,
      BOOKSVC_PORT: String(ports.booksvc),
    };
  }

  private welcome(): string {
    const { ports, databaseUrl } = this.settings;
    const books = `http://localhost:${ports.booksvc}`;
    const database =
      databaseUrl === undefined
        ? `
  npm run sample:database -- kill      the database dies (stop, freeze and thaw work too)
  npm run sample:database -- start     and comes back, empty; storagesvc fills it again
`
        : `
  The database is yours (DATABASE_URL): stop and start it as you like.
`;
    return `
The bookstore is open.

  ${books}/                  retry, circuit breaker and stale answers together
  ${books}/circuit-breaker   breaker and stale answers
  ${books}/retry             retry only
  ${books}/books/1           policies on a handler
  ${books}/command           the first example of hystrix-go, as a command
  ${books}/shipping          the shipping rates; they do not need storagesvc
  ${books}/breakers          the circuit breakers
  ${books}/resilience        management: what is ill, since when and why
  ${books}/hystrix.stream    the same for the dashboard of Hystrix: curl -N
  ${books}/metrics           the same for Prometheus
  http://localhost:${ports.storagesvc}/books             storagesvc itself

Try, from another terminal:

  curl -i ${books}/       Cache-Status says live
${database}  npm run sample:storagesvc -- freeze  storagesvc accepts, but never answers
  npm run sample:storagesvc -- thaw    and answers again

and ask again: the answer is now stale, its Age says how old, and while the breaker is open it
comes at once. Ctrl-C stops everything.
`;
  }
}

async function run(sample: Sample): Promise<void> {
  const end = (code: number): void => void sample.stop().then(() => process.exit(code));
  onInterrupt(() => end(0));
  try {
    await sample.start();
  } catch (error) {
    // Ctrl-C during the start does not count as a failure.
    if (!sample.isStopping) {
      complain(error);
      end(1);
    }
  }
}

function complain(error: unknown): void {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
}

try {
  await run(new Sample(await readSettings()));
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
