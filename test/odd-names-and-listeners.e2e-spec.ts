import {
  BulkheadRegistry,
  CircuitBreaker,
  CircuitBreakerRegistry,
  ResilienceEvents,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { classWith } from './support/bootstrap.js';
import { wrong } from './support/commands.js';

afterEach(closeAll);

const start = () => boot({ providers: [classWith('Books', CircuitBreaker('storagesvc'))] });

it.each([undefined, null, 7, Symbol('s')])('there is no breaker called %p', async (name) => {
  const { app, registry } = await start();
  const odd: never = wrong(name) as never;
  expect([registry.has(odd), app.get(BulkheadRegistry).has(odd)]).toEqual([false, false]);
  const told = `there is no circuit breaker ${String(name)}; there are "storagesvc"`;
  expect(() => registry.get(odd)).toThrow(told);
  expect(() => app.get(CircuitBreakerRegistry).reconfigure(odd, {})).toThrow(told);
});

it.each<[string, unknown]>([
  [`the options are 'incident 7'; use { by, reason, until }`, 'incident 7'],
  ['the options are null; use { by, reason, until }', null],
  ['untill is not an option; the options are by, reason, until', { untill: new Date() }],
])('an override with odd options changes nothing: %s', async (told, options) => {
  const breaker = (await start()).registry.get('storagesvc');
  for (const override of ['forceOpen', 'disable', 'observeOnly'] as const) {
    expect(() => breaker[override](wrong(options))).toThrow(told);
  }
  expect(breaker.snapshot().override).toBeUndefined();
});

it('a listener has to be a function', async () => {
  const { app, registry } = await start();
  const events = app.get(ResilienceEvents);
  const told = 'the listener is undefined; use a function';
  expect(() => events.on('retry', wrong(undefined))).toThrow(told);
  expect(() => events.subscribe(wrong(undefined))).toThrow(told);
  expect(() => registry.get('storagesvc').onStateChange(wrong(undefined))).toThrow(told);
});
