import { getEventListeners } from 'node:events';
import { TimeoutError } from '../policies/timeout/timeout-error.js';
import { type SignalLike, callerHasGone, isSignal, obey, reasonOf } from './abort-signals.js';

const gone = new Error('gone');

class Follower {
  readonly reasons: unknown[] = [];
  abort(reason: unknown): void {
    this.reasons.push(reason);
  }
}

/** A signal of a polyfill: neither Node's class nor all of its members. */
function polyfilled(): { signal: SignalLike; abort: () => void; listeners: Set<() => void> } {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    addEventListener: (_type: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: string, listener: () => void) => void listeners.delete(listener),
  };
  const abort = (): void => {
    signal.aborted = true;
    for (const listener of [...listeners]) listener();
  };
  return { signal: signal as SignalLike, abort, listeners };
}

/** Throws whatever is done to it. */
const hostile: object = new Proxy(
  {},
  new Proxy(
    {},
    {
      get: () => () => {
        throw new Error('do not look');
      },
    },
  ),
);

describe('calls that obey a signal', () => {
  it.each(['aborted', 'addEventListener', 'removeEventListener', 'reason'])(
    'go on, whatever it throws: %s',
    (member) => {
      const { signal } = polyfilled();
      const follower = new Follower();
      const get = (): never => {
        throw new Error('do not look');
      };
      Object.defineProperty(signal, member, { get });
      obey(signal, follower)();
      expect(follower.reasons).toEqual([]);
    },
  );

  it('stop, though its reason cannot be read', () => {
    const { signal, abort } = polyfilled();
    const get = (): never => {
      throw new Error('do not look');
    };
    const follower = new Follower();
    obey(signal, follower);
    abort();
    const late = new Follower();
    obey(Object.defineProperty(signal, 'reason', { get }), late);
    for (const { reasons } of [follower, late]) {
      expect(reasons).toEqual([expect.objectContaining({ name: 'AbortError' })]);
    }
  });

  it('share one listener, however many they are', () => {
    const { signal } = new AbortController();
    const letGo = Array.from({ length: 100 }, () => obey(signal, new Follower()));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const each of letGo) each();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('all stop with its reason, but those that have let go', () => {
    const controller = new AbortController();
    const [one, two, three] = [new Follower(), new Follower(), new Follower()];
    obey(controller.signal, one);
    obey(controller.signal, two)();
    obey(controller.signal, three);
    controller.abort(gone);
    expect([one, two, three].map(({ reasons }) => reasons)).toEqual([[gone], [], [gone]]);
  });

  it('can come again when the first have gone', () => {
    const controller = new AbortController();
    obey(controller.signal, new Follower())();
    const late = new Follower();
    obey(controller.signal, late);
    controller.abort(gone);
    expect(late.reasons).toEqual([gone]);
  });

  it('stop at once when it is aborted already', () => {
    const follower = new Follower();
    obey(AbortSignal.abort(gone), follower)();
    expect(follower.reasons).toEqual([gone]);
  });

  it('may let go twice, and when others have come', () => {
    const controller = new AbortController();
    const letGo = obey(controller.signal, new Follower());
    const other = new Follower();
    obey(controller.signal, other);
    letGo();
    letGo();
    controller.abort(gone);
    expect(other.reasons).toEqual([gone]);
  });

  it("obey a polyfill's, which may not say its reason", () => {
    const { signal, abort, listeners } = polyfilled();
    const follower = new Follower();
    obey(signal, follower);
    obey(signal, new Follower())();
    abort();
    expect(follower.reasons).toMatchObject([{ name: 'AbortError' }]);
    expect(listeners.size).toBeLessThanOrEqual(1);
  });
});

describe('isSignal', () => {
  it.each([
    ['a signal of Node', new AbortController().signal, true],
    ["a polyfill's", polyfilled().signal, true],
    ['an emitter', { addEventListener() {}, removeEventListener() {} }, false],
    ['an object with a flag', { aborted: true }, false],
    ['null', null, false],
    ['nothing', undefined, false],
    ['a string', 'aborted', false],
  ])('%s: %p', (_, value, expected) => {
    expect(isSignal(value)).toBe(expected);
  });

  it('is not what cannot be looked at', () => {
    expect(isSignal(hostile)).toBe(false);
  });

  it('knows the reason of a signal', () => {
    expect(reasonOf(AbortSignal.abort(gone))).toBe(gone);
  });
});

describe('a caller has gone', () => {
  const aborted = AbortSignal.abort(gone);

  it.each<[string, unknown[], boolean]>([
    ['an aborted signal', [1, aborted], true],
    ['one in an options object', [1, { signal: aborted }], true],
    [
      'one of a null-prototype object',
      [Object.assign(Object.create(null), { signal: aborted })],
      true,
    ],
    ['a signal that is not aborted', [new AbortController().signal], false],
    ['an aborted one deeper inside', [{ options: { signal: aborted } }], false],
    [
      'an aborted one in an instance',
      [
        new (class {
          signal = aborted;
        })(),
      ],
      false,
    ],
    ['an aborted one in a list', [[aborted]], false],
    ['no signal at all', [{ signal: 'yes' }, null, undefined, 'x'], false],
    [
      'one that says that a time of ours was over',
      [AbortSignal.abort(new TimeoutError('m', 'total', 1))],
      false,
    ],
  ])('by %s: %p %p', (_, args, expected) => {
    expect(callerHasGone(args)).toBe(expected);
  });

  it('also beside something that cannot be looked at', () => {
    expect(callerHasGone([hostile, aborted])).toBe(true);
    expect(callerHasGone([hostile])).toBe(false);
  });
});

describe('a value that can be obeyed as a signal', () => {
  it('tells whether it is aborted, and has listeners that come and go', () => {
    const { signal } = polyfilled();
    expect(isSignal(signal)).toBe(true);
    expect(isSignal(new AbortController().signal)).toBe(true);
    for (const member of ['aborted', 'addEventListener', 'removeEventListener'] as const) {
      expect(isSignal({ ...signal, [member]: undefined })).toBe(false);
    }
    for (const other of [null, undefined, 'aborted', 7, () => signal]) {
      expect(isSignal(other)).toBe(false);
    }
  });

  it('is left by a listener that has heard of the end', () => {
    const controller = new AbortController();
    const follower = new Follower();
    obey(controller.signal, follower);
    controller.abort(gone);
    controller.signal.dispatchEvent(new Event('abort'));
    expect(follower.reasons).toEqual([gone]);
  });

  it('gives a reason of its own when it has none', () => {
    const { signal, abort } = polyfilled();
    abort();
    expect(reasonOf(signal)).toMatchObject({
      name: 'AbortError',
      message: 'This operation was aborted',
    });
  });
});
