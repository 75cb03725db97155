import type { LoggerService } from '@nestjs/common';
import type { Dice } from './dice.js';

/** The misbehaviour of users' functions that the library calls: they throw, reject, and interfere. */
export class Mischief {
  /** Everything works again, except listeners and loggers that always throw. */
  calm = false;
  /** Errors that keys have thrown: their calls end with them. */
  readonly keyErrors = new Set<unknown>();
  /** Something that the world does in the middle of a call of a listener; set by the world. */
  meddle: () => void = () => {};
  /** Ends listeners that cause the events they listen to. */
  private budget = 25;
  private meddling = false;
  /** Whether something has interfered, so that exact counts are unknown. */
  meddled = false;

  constructor(
    private readonly dice: Dice,
    readonly level: number,
    /** Listeners and loggers behave too. */
    private readonly tame: boolean,
  ) {}

  strikes(_what: string): boolean {
    return !this.calm && this.dice.chance(this.level);
  }

  throws<T>(what: string, otherwise: T): T {
    if (this.strikes(what)) throw new Error(`${what} threw`);
    return otherwise;
  }

  throwsKey(): void {
    if (!this.strikes('key')) return;
    const error = new Error('the key threw');
    this.keyErrors.add(error);
    throw error;
  }

  acts(what: string): void {
    if (this.budget === 0 || this.meddling || !this.strikes(what)) return;
    this.budget -= 1;
    this.meddling = true;
    this.meddled = true;
    try {
      this.meddle();
    } finally {
      this.meddling = false;
    }
  }

  /** One that may throw, reject, return a thenable that is hostile, or act. */
  listener(what: string): () => void {
    const { dice } = this;
    const kind = dice.int(0, 5);
    const listen = (): unknown => {
      this.acts(what);
      if (this.tame || (this.calm && dice.chance(0.5))) return undefined;
      switch (kind) {
        case 0:
          throw new Error(`${what} threw`);
        case 1:
          return Promise.reject(new Error(`${what} rejected`));
        case 2:
          return {
            get then(): never {
              throw new Error(`the result of ${what} cannot be looked at`);
            },
          };
        case 3:
          throw Object.create(null);
        default:
          return undefined;
      }
    };
    return listen;
  }

  logger(): LoggerService {
    const write = this.listener('a logger');
    return { log: write, warn: write, error: write, debug: write, verbose: write };
  }
}
