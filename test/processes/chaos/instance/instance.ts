// One application of the fleet: node instance.js '{…}'. It ends by itself, once it has been told to close.
import 'reflect-metadata';
import { setMaxListeners } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CircuitBreakerRegistry, ResilienceEvents, ResilienceModule } from 'nest-resilience';
import { redisStore } from 'nest-resilience/redis';
import { Dice } from '../dice.js';
import { machineNow } from '../entries.js';
import { FLEET, PREFIX } from '../limits.js';
import type { Answer, InstanceSettings, Order } from '../orders.js';
import { clientOf } from './clients.js';
import { Lateness } from './lateness.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { recorded } from './recorded-store.js';
import { Service, world } from './service.js';
import { SteppedClock } from './stepped-clock.js';

const settings = JSON.parse(process.argv[2]!) as InstanceSettings;
const ledger = new Ledger(settings.ledger, settings.id);
process.on('unhandledRejection', (error) => ledger.wrong(`unhandled rejection: ${String(error)}`));
process.on('uncaughtExceptionMonitor', (error) => ledger.wrong(`uncaught: ${String(error)}`));
process.on('warning', (warning) => ledger.wrong(`warning: ${warning.message}`));
world.ledger = ledger;
world.dice = new Dice(settings.seed);
// All callers listen to it.
setMaxListeners(0, world.ending.signal);

const clock = new SteppedClock();
const own = clientOf(settings.client, settings.url);
const store = recorded(redisStore({ client: own.client, prefix: PREFIX }), ledger);

@Module({
  imports: [
    ResilienceModule.forRoot({
      store,
      clock,
      fleet: { instanceId: settings.id, ...FLEET },
      logger: false,
    }),
  ],
  providers: [Service],
})
class App {}

const app = await NestFactory.createApplicationContext(App, { logger: false });
const breakers = app.get(CircuitBreakerRegistry);
let degraded = false;
app.get(ResilienceEvents).subscribe((event) => {
  if (event.type === 'store-degraded') {
    degraded = true;
    ledger.write({ type: 'degraded', error: String(event.error) });
  } else if (event.type === 'store-recovered') {
    degraded = false;
    ledger.write({ type: 'recovered' });
  } else if (event.type === 'state-change') {
    const { name, to, reason } = event;
    ledger.write({ type: 'state', name, to, reason });
  }
});
const lateness = new Lateness();
const load = new Load(app.get(Service), lateness);
const telling = setInterval(() => {
  load.tell();
  globalThis.gc?.();
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  ledger.write({ type: 'size', heapMb: Math.round(heapMb * 10) / 10, pending: load.pending });
}, 1_000);

const say = (answer: Answer): void => void process.send?.(answer);

function look(id: number): void {
  const states = Object.fromEntries([...breakers].map(({ name, state }) => [name, state]));
  const heldBy = breakers.get('held').snapshot().override?.by;
  say({ type: 'look', id, degraded, states, heldBy, lateMs: lateness.sum() });
}

async function end(): Promise<void> {
  await load.end();
  clearInterval(telling);
  load.tell();
  const began = machineNow();
  await app.close();
  say({ type: 'closed', closeMs: machineNow() - began });
  own.end();
  process.disconnect();
}

process.on('message', (order: Order) => {
  switch (order.type) {
    case 'outage':
      world.fails = order.fails;
      return;
    case 'hold-open':
      return breakers.get('held').forceOpen({ by: order.by });
    case 'let-go':
      return breakers.get('held').clearOverride();
    case 'look':
      return look(order.id);
    case 'step':
      ledger.write({ type: 'stepped' });
      return clock.step(order.time, order.wall);
    case 'end':
      return void end();
  }
});
say({ type: 'ready' });
