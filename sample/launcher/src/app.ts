import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const STOP_TIMEOUT_MS = 10_000;

export type AppName = 'database' | 'storagesvc' | 'shippingsvc' | 'booksvc';
export type Environment = Readonly<Record<string, string>>;

export interface AppOptions {
  readonly env: Environment;
  /** Options for Node itself. */
  readonly nodeOptions?: readonly string[];
  /** Called with each line that the process prints. */
  readonly onLine?: (line: string) => void;
  /** Called when the process has ended, unless `stop` or `kill` ended it. */
  readonly onDeath?: (how: string) => void;
}

/** One process of the sample: can be started, killed, frozen and started again. */
export class App {
  private child: ChildProcess | undefined;
  private expected = false;

  constructor(
    readonly name: AppName,
    private readonly options: AppOptions,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    if (this.child !== undefined) {
      return;
    }
    const script = fileURLToPath(new URL(`../../${this.name}/src/main.js`, import.meta.url));
    // The IPC channel tells the process when its parent has ended.
    const child = spawn(process.execPath, [...(this.options.nodeOptions ?? []), script], {
      env: { ...this.options.env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.child = child;
    this.expected = false;
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => this.options.onLine?.(line));
    }
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (!this.expected) {
        this.options.onDeath?.(signal ?? `exit code ${code}`);
      }
    });
  }

  /** Stops it gracefully, or kills it if it does not react. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.end('SIGTERM');
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** The kernel still accepts connections for it, but nothing answers. */
  freeze(): void {
    this.alive().kill('SIGSTOP');
  }

  thaw(): void {
    this.alive().kill('SIGCONT');
  }

  /** @throws when it is not running */
  protected alive(): ChildProcess {
    if (this.child === undefined) {
      throw new Error(`${this.name} is not running`);
    }
    return this.child;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined) {
      return;
    }
    this.expected = true;
    const exit = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT'); // a frozen process handles signals only after that
    await exit;
  }
}
