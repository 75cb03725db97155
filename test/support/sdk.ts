import { type Observable, of as rxOf, throwError } from 'rxjs';

/** A third-party client, with a little of everything. */
export class Sdk {
  #region = 'eu';
  calls: string[] = [];
  failures = 0;
  readonly limits = { max: 5 };

  get region(): string {
    return this.#region;
  }

  set region(region: string) {
    this.#region = region;
  }

  private note(call: string): void {
    this.calls.push(call);
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new Error('down');
  }

  async get(id: number): Promise<string> {
    this.note(`get ${id}`);
    return `${this.#region}/${id}`;
  }

  /** Not an async function: its result type is unknown before a call. */
  put(id: number): Promise<string> {
    try {
      this.note(`put ${id}`);
      return Promise.resolve(`put ${id}`);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  find(id: number): Promise<string>;
  find(id: number, done: (error: unknown, found: string) => void): void;
  find(id: number, done?: (error: unknown, found: string) => void): Promise<string> | void {
    if (done === undefined) return this.put(id);
    this.calls.push(`find ${id}`);
    done(undefined, `found ${id}`);
  }

  total(): number {
    return this.calls.length;
  }

  refuse(): number {
    throw new RangeError('no');
  }

  on(): this {
    return this;
  }

  connect(): Promise<this> {
    return Promise.resolve(this);
  }

  watch(): Observable<string> {
    this.calls.push('watch');
    if (this.failures === 0) return rxOf('a', 'b');
    this.failures -= 1;
    return throwError(() => new Error('down'));
  }

  async *scan(): AsyncGenerator<number> {
    this.note('scan');
    yield 1;
    yield 2;
  }

  [Symbol.for('ping')](): Promise<string> {
    return this.put(0);
  }
}
