import { inspect } from 'node:util';
import {
  BadGatewayException,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { Dice } from './dice.js';

const boom = (): never => {
  throw new Error('you should not have looked');
};

/** One error object for all, as careless modules have them. */
const constantError = new Error('always the same');
const frozenConstant = Object.freeze(new Error('always the same, frozen'));

class Odd extends Error {
  constructor(message: string, fields: object) {
    super(message);
    Object.assign(this, fields);
  }
}

const kinds: Readonly<Record<string, (dice: Dice) => unknown>> = {
  plain: () => new Error('down'),
  status: (dice) => new Odd('status', { status: dice.pick([400, 404, 408, 429, 500, 503]) }),
  http: (dice) =>
    dice.pick([
      new NotFoundException(),
      new BadGatewayException(),
      new ServiceUnavailableException(),
    ]),
  retryAfter: (dice) => {
    const headers = { 'retry-after': dice.pick(['0', '1', '3', 'soon', '-1', '1e9', '']) };
    return new Odd('busy', { response: { status: 503, headers } });
  },
  throwingHeaders: () => new Odd('headers', { response: { status: 503, headers: { get: boom } } }),
  getters: (dice) => {
    const error = new Error('getters');
    for (const name of ['status', 'name', 'code', 'cause', 'response', 'getStatus', 'statusCode']) {
      if (dice.chance(0.5)) Object.defineProperty(error, name, { get: boom, configurable: true });
    }
    return error;
  },
  plainGetters: () => ({
    get status(): never {
      return boom();
    },
    get name(): never {
      return boom();
    },
  }),
  getStatus: () => new Odd('getStatus', { getStatus: boom }),
  proxy: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  wild: () => new Proxy({}, { get: boom, has: boom, getPrototypeOf: boom, ownKeys: boom }),
  network: () => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }),
  type: () => new TypeError('x is not a function'),
  abort: () => new DOMException('aborted', 'AbortError'),
  frozen: () => Object.freeze(new Error('frozen')),
  constant: () => constantError,
  frozenConstant: () => frozenConstant,
  cyclic: () => {
    const error = new Error('cyclic');
    error.cause = new Error('inner', { cause: error });
    return error;
  },
  self: () => {
    const error = new Error('its own cause');
    error.cause = error;
    return error;
  },
  text: () => 'a string',
  nothing: (dice) => dice.pick([undefined, null, 0, NaN, false, '']),
  symbol: () => Symbol('thrown'),
  bare: () => Object.create(null) as unknown,
  func: () => boom,
};

const names = Object.keys(kinds);
const TAME = ['plain', 'plain', 'status', 'http', 'network', 'type'];

/** Something to throw; many are harmless, and all of them where things are tame. */
export function hostileError(dice: Dice, tame: boolean): unknown {
  if (tame) return kinds[dice.pick(TAME)]!(dice);
  return kinds[dice.chance(0.4) ? 'plain' : dice.pick(names)]!(dice);
}

/** For messages; hostile values cannot be inspected safely. */
export function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 1, getters: false }).split('\n').slice(0, 2).join(' ');
  } catch {
    return 'something that cannot be shown';
  }
}

/** A badly behaved thenable for a value or an error; `settled` has its right outcome. */
export function oddThenable(
  dice: Dice,
  value: object,
): { readonly thenable: PromiseLike<unknown>; readonly throws: unknown } {
  const late = new Error('said after the fact');
  const thrown = new Error('then() threw');
  type Settle = (value: unknown) => void;
  switch (dice.int(0, 3)) {
    case 0: // resolves twice, then rejects, then throws
      return {
        throws: undefined,
        thenable: {
          then: (resolve: Settle, reject: Settle) => {
            resolve(value);
            resolve({ id: 'another' });
            reject(late);
            throw late;
          },
        } as never,
      };
    case 1:
      return {
        throws: thrown,
        thenable: {
          then: () => {
            throw thrown;
          },
        } as never,
      };
    case 2:
      return {
        throws: thrown,
        thenable: {
          then: (resolve: Settle, reject: Settle) => {
            reject(thrown);
            resolve(value);
          },
        } as never,
      };
    default: // resolves later, and again
      return {
        throws: undefined,
        thenable: {
          then: (resolve: Settle) => {
            queueMicrotask(() => resolve(value));
            queueMicrotask(() => resolve({ id: 'another' }));
          },
        } as never,
      };
  }
}
