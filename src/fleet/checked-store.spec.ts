import { ManualClock, MemoryStore, storeContract } from '../testing/index.js';
import { CheckedStore } from './checked-store.js';
import type { ResilienceStore, StoreMessage } from './store.js';

type Method = 'circuit' | 'circuits' | 'limit' | 'places' | 'heartbeat' | 'instances' | 'settings';

const VIEW = { state: 'open', epoch: 1, incarnation: 'a', remainingMs: 5, openings: 1 };
const REPLY = { granted: true, view: VIEW };
const OVERRIDDEN = { ...VIEW, override: { state: 'disabled', by: 'anna', remainingMs: 1 } };
const DECISION = { allowed: true, waitMs: 0, remaining: 1, retryAfterMs: 0, resetMs: 10 };
const PLACES = { granted: false, inUse: 2, retryAfterMs: 5, lost: ['t'] };
const INSTANCE = { id: 'a', silentMs: 3 };
const SETTINGS = { revision: 1, settings: '{}', ageMs: 0, changed: false };

/** One step of each kind, answered by a store with `answer`. */
const STEPS: Readonly<Record<Method, (store: ResilienceStore) => Promise<unknown>>> = {
  circuit: (store) => store.circuit('name', { type: 'reset' }),
  circuits: (store) => store.circuits(['name']),
  limit: (store) => store.limit('name', { limit: 1, perMs: 1, burst: 1, cost: 1, maxWaitMs: 10.5 }),
  places: (store) => store.places('name', { type: 'renew', tokens: ['t'], leaseMs: 1 }),
  heartbeat: (store) => store.heartbeat({ id: 'a' }, 1),
  instances: (store) => store.instances(),
  settings: (store) => store.settings(),
};

const UNREADABLE_OVERRIDE = "the override of circuit 'name' cannot be read; it counts as none";

const complaints: string[] = [];

/** A store that answers the same, whatever it is asked. */
function answering(answer: unknown): CheckedStore {
  const same = async (): Promise<unknown> => answer;
  const names: readonly string[] = Object.keys(STEPS);
  return new CheckedStore(
    new Proxy(new MemoryStore(), {
      get: (_, method) => (names.includes(method as string) ? same : undefined),
    }),
    (message) => complaints.push(message),
  );
}

describe('a checked store', () => {
  beforeEach(() => {
    complaints.length = 0;
  });

  describe('keeps the contract', () => {
    const clock = new ManualClock();
    const spaces = new Map<string, MemoryStore>();
    const connect = (space: string): ResilienceStore => {
      const store = spaces.get(space) ?? new MemoryStore({ clock });
      spaces.set(space, store);
      return new CheckedStore(store, () => {});
    };
    const wait = (ms: number): Promise<void> => clock.advance(ms);
    for (const { title, run } of storeContract({ connect, wait })) test(title, run);
  });

  it.each<[Method, unknown]>([
    ['circuit', REPLY],
    ['circuit', { granted: false, view: OVERRIDDEN, retryAfterMs: 0.5 }],
    ['circuits', [undefined]],
    ['circuits', [{ ...OVERRIDDEN, override: { state: 'forced-open' } }]],
    ['limit', DECISION],
    ['limit', { ...DECISION, waitMs: 11, remaining: 0.5, otherRate: true }],
    ['limit', { ...DECISION, allowed: false, retryAfterMs: Infinity }],
    ['places', PLACES],
    ['places', { granted: true, inUse: 0 }],
    ['heartbeat', 1],
    ['settings', undefined],
    ['settings', SETTINGS],
  ])('gives an answer of %s() as it is: %j', async (method, answer) => {
    expect(await STEPS[method](answering(answer))).toBe(answer);
  });

  it.each<[Method, unknown]>([
    ...Object.keys(STEPS).flatMap((method): [Method, unknown][] =>
      [null, 'OK', -7.5, true, () => {}, { then: 1 }].map((answer) => [method as Method, answer]),
    ),
    ['circuit', undefined],
    ['circuit', { view: VIEW }],
    ['circuit', { granted: 1, view: VIEW }],
    ['circuit', { granted: true }],
    ['circuit', { granted: true, view: null }],
    ['circuit', { ...REPLY, retryAfterMs: NaN }],
    ['circuits', []],
    ['circuits', [undefined, undefined]],
    ['limit', undefined],
    ['limit', { ...DECISION, allowed: '1' }],
    ['limit', { ...DECISION, waitMs: NaN }],
    ['limit', { ...DECISION, waitMs: -1 }],
    ['limit', { ...DECISION, waitMs: 12 }],
    ['limit', { ...DECISION, remaining: -1 }],
    ['limit', { ...DECISION, retryAfterMs: -Infinity }],
    ['limit', { ...DECISION, resetMs: Infinity }],
    ['limit', { ...DECISION, otherRate: '3/1000/2' }],
    ['places', undefined],
    ['places', { ...PLACES, granted: undefined }],
    ['places', { ...PLACES, inUse: -1 }],
    ['places', { ...PLACES, retryAfterMs: '5' }],
    ['places', { ...PLACES, lost: 't' }],
    ['places', { ...PLACES, lost: [7] }],
    ['places', { granted: false, inUse: 0 }],
    ['heartbeat', undefined],
    ['heartbeat', -1],
    ['heartbeat', [{ id: 'a' }]],
    ['instances', undefined],
    ['instances', { length: 0 }],
    ['settings', { ...SETTINGS, revision: NaN }],
    ['settings', { ...SETTINGS, settings: {} }],
    ['settings', { ...SETTINGS, ageMs: -1 }],
    ['settings', { ...SETTINGS, changed: undefined }],
  ])('rejects with nonsense from %s(): %p', async (method, answer) => {
    await expect(STEPS[method](answering(answer))).rejects.toThrow(
      new RegExp(`^${method}\\(\\) returned .*, which is not a valid answer of a store$`),
    );
  });

  it.each<object | null>([
    [null],
    { ...VIEW, state: 'half_open' },
    { ...VIEW, epoch: -1 },
    { ...VIEW, epoch: 1.5 },
    { ...VIEW, epoch: '1' },
    { ...VIEW, incarnation: undefined },
    { ...VIEW, remainingMs: NaN },
    { ...VIEW, remainingMs: -1 },
    { ...VIEW, remainingMs: Infinity },
    { ...VIEW, openings: NaN },
  ])(
    'does not know a circuit that cannot be read, says so once, and reads the others: %p',
    async (bad) => {
      const store = answering([VIEW, bad, OVERRIDDEN]);
      for (let round = 0; round < 2; round++) {
        expect(await store.circuits(['a', 'b', 'c'])).toEqual([VIEW, undefined, OVERRIDDEN]);
      }
      expect(complaints).toEqual(["circuit 'b' cannot be read; it counts as unknown"]);
    },
  );

  it.each<object>([
    { ...VIEW, override: 'disabled' },
    { ...VIEW, override: null },
    { ...VIEW, override: { state: 'closed' } },
    { ...VIEW, override: { state: 'disabled', by: 7 } },
    { ...VIEW, override: { state: 'disabled', reason: {} } },
    { ...VIEW, override: { state: 'disabled', remainingMs: -1 } },
  ])('leaves out an override that cannot be read, and says so once: %p', async (bad) => {
    expect(await answering([bad, VIEW]).circuits(['name', 'other'])).toEqual([VIEW, VIEW]);
    expect(complaints).toEqual([UNREADABLE_OVERRIDE]);
    expect(await STEPS.circuit(answering({ ...REPLY, view: bad }))).toEqual(REPLY);
    expect(complaints).toEqual([UNREADABLE_OVERRIDE, UNREADABLE_OVERRIDE]);
  });

  it('leaves out invalid instances: those of another version may be anything', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const told = { ...INSTANCE, version: '1', host: 'h', ageMs: 5, facts: { sums: 1 }, more: 2 };
    const nonsense = [
      {},
      null,
      'a',
      proxy,
      { ...INSTANCE, version: 2 },
      { ...INSTANCE, ageMs: NaN },
      { ...INSTANCE, silentMs: undefined },
    ];
    expect(await answering([...nonsense, INSTANCE, told]).instances()).toEqual([INSTANCE, told]);
    expect(await answering([]).instances()).toEqual([]);
  });

  it('rejects with an answer that cannot even be read', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    // Only inside an answer: a promise cannot be resolved with it.
    await expect(
      answering({ ...REPLY, view: proxy }).circuit('name', { type: 'reset' }),
    ).rejects.toThrow('circuit() returned');
    expect(await answering([proxy]).circuits(['name'])).toEqual([undefined]);
  });

  it('passes on valid messages only', async () => {
    const heard: unknown[] = [];
    let tell!: (message: unknown) => void;
    const store = new MemoryStore();
    jest.spyOn(store, 'subscribe').mockImplementation(async (listener) => {
      tell = listener as (message: unknown) => void;
      return async () => {};
    });
    await new CheckedStore(store, () => {}).subscribe((message) => heard.push(message));
    const messages: readonly StoreMessage[] = [
      { type: 'circuit', name: 'name', view: VIEW as never },
      { type: 'settings', revision: 1 },
      { type: 'place', name: 'name' },
      { type: 'reconnected' },
    ];
    const nonsense = [
      undefined,
      null,
      'reconnected',
      {},
      { type: 'toString' },
      { type: 'circuit', name: 'name', view: { ...VIEW, epoch: NaN } },
      { type: 'circuit', name: 7, view: VIEW },
      { type: 'settings', revision: '1' },
      { type: 'place' },
    ];
    for (const message of [...nonsense, ...messages]) tell(message);
    expect(heard).toEqual(messages);
    const override = { state: 'of another version' };
    tell({ type: 'circuit', name: 'name', view: { ...VIEW, override } });
    expect(heard.at(-1)).toEqual(messages[0]);
    expect(heard).toHaveLength(messages.length + 1);
  });
});
