import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../../support/redis-servers.js';
import { freePort, HOST } from '../../../sample/launcher/src/net.js';
import type { Book } from './book.js';
import type { Dice } from './dice.js';
import { type Fleet, INSTANCES } from './fleet.js';
import { CLOCK_KEY } from './instance/clients.js';
import type { Report } from '../sample/lib/report.js';
import type { Disturbance } from './wire.js';
import type { Wires } from './wires.js';

/** The means of troubles. */
export interface Place {
  readonly redis: RedisServer;
  readonly wires: Wires;
  readonly fleet: Fleet;
  readonly book: Book;
  readonly dice: Dice;
  readonly report: Report;
}

export interface Trouble {
  readonly name: string;
  /** Troubles that do not go together, such as two of one process. */
  readonly of: 'redis' | 'wires' | 'instance';
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** How far a clock is moved forward at most, and back, milliseconds. An open circuit stays open for as long as the step back. */
const FORWARD = 3_600_000;
const BACK = 1_000;

/** Every kind of trouble, by name. */
export const TROUBLES: Readonly<Record<string, (place: Place) => Trouble>> = {
  killed: ({ redis, book }) => ({
    name: 'Redis is killed, and restarts empty',
    of: 'redis',
    async begin() {
      book.note({ type: 'losing' });
      await redis.kill();
    },
    async end() {
      await redis.restart();
      book.note({ type: 'lost' });
    },
  }),

  frozen: ({ redis }) => ({
    name: 'Redis is frozen (SIGSTOP)',
    of: 'redis',
    begin: async () => redis.freeze(),
    end: async () => redis.thaw(),
  }),

  flushed: ({ redis, book }) => ({
    name: 'FLUSHALL',
    of: 'redis',
    async begin() {
      book.note({ type: 'losing' });
      await redis.tell(['flushall']);
      book.note({ type: 'lost' });
    },
    end: async () => {},
  }),

  forgetful: ({ redis }) => ({
    name: 'SCRIPT FLUSH',
    of: 'redis',
    begin: () => redis.tell(['script', 'flush']),
    end: () => redis.tell(['script', 'flush']),
  }),

  full: ({ redis }) => ({
    name: 'the memory is full',
    of: 'redis',
    begin: () => redis.tell(['config', 'set', 'maxmemory', '1']),
    end: () => redis.tell(['config', 'set', 'maxmemory', '0']),
  }),

  evicting: ({ redis, book }) => {
    let clock: string | null;
    return {
      name: 'the memory is full, and all is evicted',
      of: 'redis',
      async begin() {
        book.note({ type: 'losing' });
        clock = await redis.tell<string | null>(['get', CLOCK_KEY]);
        await redis.tell(
          ['config', 'set', 'maxmemory-policy', 'allkeys-random'],
          ['config', 'set', 'maxmemory', '1'],
        );
      },
      async end() {
        await redis.tell(
          ['config', 'set', 'maxmemory', '0'],
          ['config', 'set', 'maxmemory-policy', 'noeviction'],
        );
        // The clock of a server outlives its data: a step back by an hour would keep circuits open for that long.
        if (clock !== null) await redis.tell(['set', CLOCK_KEY, clock]);
        book.note({ type: 'lost' });
      },
    };
  },

  evicted: ({ redis, book, dice }) => {
    let keys: Promise<void> | undefined;
    let over = false;
    return {
      name: 'keys are evicted one by one',
      of: 'redis',
      async begin() {
        book.note({ type: 'losing' });
        keys = (async () => {
          while (!over) {
            const key = await redis.tell<string | null>(['randomkey']);
            if (key !== null && key !== CLOCK_KEY) await redis.tell(['del', key]);
            await sleep(dice.between(10, 100));
          }
        })();
      },
      async end() {
        over = true;
        await keys;
        book.note({ type: 'lost' });
      },
    };
  },

  readOnly: ({ redis }) => ({
    name: 'Redis is a read-only replica',
    of: 'redis',
    begin: async () => redis.tell(['replicaof', HOST, String(await freePort())]),
    end: () => redis.tell(['replicaof', 'no', 'one']),
  }),

  forbidden: ({ redis }) => ({
    name: 'the user may not run scripts',
    of: 'redis',
    begin: () => redis.tell(['acl', 'setuser', 'resilience', '-eval', '-evalsha']),
    end: () => redis.tell(['acl', 'setuser', 'resilience', '+eval', '+evalsha']),
  }),

  clock: ({ redis, book, dice }) => ({
    name: 'the clock of Redis steps',
    of: 'redis',
    async begin() {
      const step = dice.chance(0.5) ? dice.between(0, FORWARD) : -dice.between(0, BACK);
      book.note({ type: 'losing' });
      await redis.tell(['incrby', CLOCK_KEY, String(Math.round(step * 1_000))]);
      book.note({ type: 'lost' });
    },
    end: async () => {},
  }),

  held: (place) => wires(place, 'held', 'holds all bytes'),
  slow: (place) => wires(place, 'slow', 'is slow'),
  unanswered: (place) => wires(place, 'unanswered', 'loses all answers'),
  cut: (place) => wires(place, 'cut', 'breaks again and again'),
  refused: (place) => wires(place, 'refused', 'is down'),

  died: ({ fleet, book, dice }) => {
    const at = someone(dice);
    const { id } = fleet.instances[at]!;
    return {
      name: `instance ${id} is killed, and another one starts`,
      of: 'instance',
      async begin() {
        await fleet.instances[at]!.kill();
        book.note({ type: 'killed', instance: id });
      },
      end: () => fleet.replace(at),
    };
  },

  restarted: ({ fleet, book, dice, report }) => {
    const at = someone(dice);
    const { id } = fleet.instances[at]!;
    return {
      name: `instance ${id} closes, and another one starts`,
      of: 'instance',
      async begin() {
        const wrong = await fleet.instances[at]!.end();
        book.note({ type: 'killed', instance: id });
        if (wrong !== undefined) report.check('closing in trouble', 'clean', false, wrong);
      },
      end: () => fleet.replace(at),
    };
  },

  suspended: ({ fleet, dice }) => {
    const instance = fleet.instances[someone(dice)]!;
    return {
      name: `instance ${instance.id} is suspended`,
      of: 'instance',
      begin: async () => instance.suspend(),
      end: async () => instance.resume(),
    };
  },

  stepped: ({ fleet, dice }) => {
    const instance = fleet.instances[someone(dice)]!;
    return {
      name: `the clocks of instance ${instance.id} step`,
      of: 'instance',
      async begin() {
        const time = dice.between(0, 3_000);
        instance.tell({ type: 'step', time, wall: dice.between(-FORWARD, FORWARD) });
      },
      end: async () => {},
    };
  },
};

/** The wires of all instances, or that of one of them. */
function wires({ wires, dice }: Place, how: Disturbance, does: string): Trouble {
  const all = Array.from({ length: INSTANCES }, (_, wire) => wire);
  const some = dice.chance(0.5) ? all : [dice.pick(all)];
  const disturb = (now: Disturbance): void => some.forEach((wire) => wires.disturb(wire, now));
  return {
    name: `the network of ${some.length === 1 ? 'one instance' : 'all instances'} ${does}`,
    of: 'wires',
    begin: async () => disturb(how),
    end: async () => disturb('none'),
  };
}

function someone(dice: Dice): number {
  return Math.floor(dice.between(0, INSTANCES));
}
