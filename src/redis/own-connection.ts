import { performance } from 'node:perf_hooks';
import { lookForText, swallow } from '../common/outcomes/look.js';
import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type OwnDriver } from './driver.js';

/** How long the server may give no sign of life while steps need it, milliseconds. Then the connection counts as dead. */
const SILENT_MS = 5_000;

/**
 * One client of our own, until its connection is dead. One that has broken without a sign, as behind a firewall or after the loss
 * of a host, would be silent until the operating system gives it up, a quarter of an hour later; so would one to a server
 * that never answers the handshake.
 */
export class OwnConnection {
  readonly driver: Promise<OwnDriver>;
  private heardAt = performance.now();
  /** How many steps have been sent and not been answered. */
  private waiting = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private ended = false;
  private death: Error | undefined = undefined;

  /**
   * @param made rejects if there is no client
   * @param onDead called once, when the steps that were waiting are rejected
   */
  constructor(
    private readonly made: Promise<OwnDriver>,
    private readonly onDead: () => void,
    private readonly silentMs = SILENT_MS,
  ) {
    this.driver = this.open();
    // The steps that wait for it are rejected with it.
    swallow(this.driver);
  }

  async send(key: string, command: readonly string[]): Promise<unknown> {
    const driver = await this.driver;
    if (this.waiting === 0 && driver.ready) this.heard(); // nothing was expected of the server before
    this.waiting += 1;
    this.watch(driver);
    try {
      const reply = await driver.send(key, command);
      this.heard();
      return reply;
    } catch (error) {
      if (isOfServer(error)) this.heard();
      // `The client is offline` explains nothing: say that the server refuses connections, or the password.
      throw this.death ?? driver.problem ?? error;
    } finally {
      this.waiting -= 1;
    }
  }

  async close(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    const driver = await this.made.catch(() => undefined);
    await driver?.close();
  }

  /** If the server is missing, the first commands report it. */
  private async open(): Promise<OwnDriver> {
    const driver = await this.made;
    const connected = driver.connect(() => this.heard());
    await settledWithin(connected, CONNECT_MS);
    return driver;
  }

  private heard(): void {
    this.heardAt = performance.now();
  }

  /** Looks when the server could have been silent for too long; again while it has something to answer, or to accept. */
  private watch(driver: OwnDriver): void {
    if (this.ended || this.timer !== undefined) return;
    const check = (): void => {
      this.timer = undefined;
      if (this.waiting === 0 && driver.ready) return;
      if (this.left() > 0) this.watch(driver);
      else if (!this.ended) this.die();
    };
    // If the event loop stands still, what has arrived meanwhile is read first.
    this.timer = setTimeout(() => setImmediate(check), Math.max(1, Math.ceil(this.left())));
    this.timer.unref();
  }

  private left(): number {
    return this.heardAt + this.silentMs - performance.now();
  }

  private die(): void {
    this.death = new Error(`the server has given no sign of life for ${this.silentMs} ms`);
    swallow(this.close());
    this.onDead();
  }
}

/** Redis begins its errors with a code: `NOPERM …`, `LOADING …`. */
function isOfServer(error: unknown): boolean {
  return /^[A-Z]+ /.test(lookForText(error, 'message') ?? '');
}
