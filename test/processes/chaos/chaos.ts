// Instances of an application meet in a Redis that gets into every kind of trouble, at random moments and under load. What
// must always hold is checked by what all processes write down.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { play } from '../sample/lib/experiment.js';
import { print } from '../sample/lib/output.js';
import { Report } from '../sample/lib/report.js';
import { Book, type Rule } from './book.js';
import { Dice } from './dice.js';
import { machineNow } from './entries.js';
import { Fleet, INSTANCES } from './fleet.js';
import { PLACES, PROBES } from './limits.js';
import { startRedis } from './redis.js';
import { Admitted } from './rules/admitted.js';
import { Calls } from './rules/calls.js';
import { Calm } from './rules/calm.js';
import { Fencing } from './rules/fencing.js';
import { LeaseLimit } from './rules/lease-limit.js';
import { StoreRate } from './rules/rate.js';
import { Shares } from './rules/shares.js';
import { Size } from './rules/size.js';
import { Votes } from './rules/votes.js';
import { Rounds } from './rounds.js';
import { placesComeBack } from './places-come-back.js';
import { Wires } from './wires.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const lastsMs = Number(values.minutes) * 60_000;
const seed = Number(values.seed);

const halls = new LeaseLimit('halls', PLACES.halls.maxConcurrent);
const rules: readonly Rule[] = [
  new Calls(),
  new LeaseLimit('flaky', PROBES),
  new LeaseLimit('voted', PROBES),
  new LeaseLimit('places', PLACES.places.maxConcurrent),
  halls,
  new Fencing(),
  new StoreRate('limited'),
  new StoreRate('patient'),
  new Shares(),
  new Calm(),
  new Admitted(),
  new Votes(),
  new Size(),
];

const folder = mkdtempSync(join(tmpdir(), 'nest-resilience-chaos-'));
const report = new Report();
const dice = new Dice(seed);
const book = new Book(rules);
const redis = await startRedis();
const wires = await Wires.open(INSTANCES, redis.port);
const fleet = new Fleet(folder, wires.ports, dice, book);

print(`Seed ${seed}: npm run chaos -- --seed ${seed} --minutes ${values.minutes}`);

/** The first ones of each rule are enough. */
const TOLD = 3;

function tellBreaches(from: number): void {
  book.breaches.forEach(({ rule, what }, at) => {
    const former = book.breaches.slice(0, at).filter((other) => other.rule === rule).length;
    if (at >= from && former < TOLD) print(`    ${rule.title}: ${what}`);
  });
}

async function experiment(): Promise<void> {
  await fleet.start();
  let told = 0;
  const reading = setInterval(() => {
    book.read();
    tellBreaches(told);
    told = book.breaches.length;
  }, 200);
  const place = { redis, wires, fleet, book, dice, report };
  const rounds = new Rounds(place, values.only?.split(','));
  await rounds.settle();
  if (values.only === undefined) await placesComeBack(place, halls);
  const end = machineNow() + lastsMs;
  while (machineNow() < end) await rounds.play();
  rounds.conclude();

  redis.freeze();
  const ends = await Promise.all(fleet.instances.map((instance) => instance.end()));
  const wrong = ends.filter((what) => what !== undefined);
  report.check(
    'closing all instances while Redis is frozen',
    'at once, and the processes end by themselves',
    wrong.length === 0,
    wrong.join(),
  );
  await sleep(100);
  clearInterval(reading);
  book.read(true);
  tellBreaches(told);
  for (const rule of rules) {
    const breaches = book.breaches.filter((breach) => breach.rule === rule);
    const [first] = breaches;
    const found = first === undefined ? '' : `; ${breaches.length} times not: ${first.what}`;
    // With only some kinds of trouble, a rule may not have been put to the test.
    const isTried = rule.tried !== 0 || values.only !== undefined;
    const holds = first === undefined && isTried;
    report.check(rule.title, rule.expected, holds, `${rule.found()}${found}`);
  }
}

await play(report, experiment, async () => {
  wires.close();
  await fleet.destroy();
  await redis.end();
  if (report.holds) rmSync(folder, { recursive: true, force: true });
  else print(`What the processes have written down: ${folder}`);
});
