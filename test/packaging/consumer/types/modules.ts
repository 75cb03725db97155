// The options of the module, and events.
import { Injectable } from '@nestjs/common';
import {
  type CircuitBreakerRegistry,
  type Overrides,
  type ResilienceEvent,
  type ResilienceEventListener,
  type ResilienceEvents,
  ResilienceModule,
  type ResilienceModuleOptions,
  type ResilienceOptionsFactory,
  overridesFromEnv,
  protectProvider,
} from 'nest-resilience';

declare const events: ResilienceEvents;
declare const breakers: CircuitBreakerRegistry;

class Settings {
  readonly retries: number = 2;
}

@Injectable()
class OptionsFactory implements ResilienceOptionsFactory {
  createResilienceOptions(): ResilienceModuleOptions {
    return { defaults: { timeout: '1s' } };
  }
}

// Compiles: no options, and all of them
export const roots = [
  ResilienceModule.forRoot(),
  ResilienceModule.forRoot({
    defaults: { retry: { maxRetries: 2 }, timeout: '5s' },
    configs: { slow: { timeout: '30s' }, slower: { extends: 'slow', bulkhead: 2 } },
    pipelines: {
      storagesvc: { retry: {}, circuitBreaker: {}, order: ['retry', 'circuit breaker'] },
    },
    overrides: [{ '*': { retry: { enabled: false } } }, overridesFromEnv(process.env)],
    logger: false,
  }),
];

// Compiles: options from injected providers, from a class, from an existing provider
export const asynchronous = [
  ResilienceModule.forRootAsync({
    inject: [Settings],
    useFactory: (settings: Settings) => ({ defaults: { retry: { maxRetries: settings.retries } } }),
  }),
  ResilienceModule.forRootAsync({ useFactory: async () => ({}) }),
  ResilienceModule.forRootAsync({ useClass: OptionsFactory }),
  ResilienceModule.forRootAsync({ useExisting: OptionsFactory }),
];

// Compiles: the share of a feature
export const features = [
  ResilienceModule.forFeature({ pipelines: { books: { timeout: '1s' } } }),
  ResilienceModule.forFeature([protectProvider(Settings, { name: 'settings', '*': {} })]),
];

// Compiles: overrides of each kind of target
export const overrides: Overrides = {
  '*': { timeout: { enabled: false } },
  Books: { retry: { maxRetries: 1 } },
  'Books.search': { bulkhead: 5 },
  storagesvc: { circuitBreaker: { failureRate: 0.2 } },
};

// Compiles: a listener of one kind, whose event has the members of that kind
events.on('state-change', (event) => `${event.from} ${event.to} ${event.counts.failures}`);

// Compiles: a listener of all kinds
events.subscribe((event: ResilienceEvent) => {
  if (event.type === 'retry') console.log(event.delayMs.toFixed());
});

// Compiles: a listener of some kinds together
export const listener: ResilienceEventListener = (event) => {
  if (event.type === 'call-end' || event.type === 'attempt') console.log(event.durationMs);
};

// Compiles: events as an iterator
export async function follow(): Promise<void> {
  for await (const event of events.iterate({ bufferSize: 100 })) console.log(event.name);
}

// Compiles: a breaker by hand
export async function byHand(): Promise<string> {
  breakers.reconfigure('storagesvc', { openFor: '10s' });
  breakers.get('storagesvc').forceOpen({ by: 'ops', until: new Date() });
  return breakers.get('storagesvc').execute(async () => 'done');
}

// @ts-expect-error an option that does not exist: `policies:` 'policies' does not exist in type 'ResilienceModuleOptions
ResilienceModule.forRoot({ policies: {} });

// @ts-expect-error an option of another policy among the defaults: `maxRetries: 1` 'maxRetries' does not exist in type 'TimeoutOptions
ResilienceModule.forRoot({ defaults: { timeout: { maxRetries: 1 } } });

// @ts-expect-error a wrong unit among the defaults: `timeout: '1min'` Type '"1min"' is not assignable to type
ResilienceModule.forRoot({ defaults: { timeout: '1min' } });

// @ts-expect-error an option that the breaker of a pipeline does not have: `threshold: 5` 'threshold' does not exist in type 'CircuitBreakerOptions
ResilienceModule.forRoot({ pipelines: { storagesvc: { circuitBreaker: { threshold: 5 } } } });

// @ts-expect-error a configuration that extends several: `extends:` Type 'string[]' is not assignable to type 'string
ResilienceModule.forRoot({ configs: { slower: { extends: ['slow'] } } });

// @ts-expect-error an override that is false: `overrides:` Type 'false' has no properties in common with type 'RetryOptions'
ResilienceModule.forRoot({ overrides: { '*': { retry: false } } });

// @ts-expect-error a level in the place of a logger: `logger: 'error'` Type 'string' is not assignable to type 'false
ResilienceModule.forRoot({ logger: 'error' });

// @ts-expect-error a factory of something else: `useFactory:` Type '() => number' is not assignable to type '(...dependencies: never
ResilienceModule.forRootAsync({ useFactory: () => 1 });

// @ts-expect-error a factory of wrong options: `useFactory:` Type '{ defaults: { retry: { maxRetries: string; }; }; }' is not assignable to type 'ResilienceModuleOptions
ResilienceModule.forRootAsync({ useFactory: () => ({ defaults: { retry: { maxRetries: '1' } } }) });

// @ts-expect-error a class that makes no options: `useClass: Settings` Property 'createResilienceOptions' is missing in type
ResilienceModule.forRootAsync({ useClass: Settings });

// @ts-expect-error a token that is not in a list: `inject: Settings` Type 'typeof Settings' is missing the following properties from type
ResilienceModule.forRootAsync({ inject: Settings, useFactory: () => ({}) });

// @ts-expect-error an option of the root module in a feature: `defaults:` 'defaults' does not exist in type
ResilienceModule.forFeature({ defaults: { timeout: '1s' } });

// @ts-expect-error a feature without options: `forFeature()` Expected 1 arguments, but got 0
ResilienceModule.forFeature();

// @ts-expect-error an override of a policy that does not exist: `limiter:` 'limiter' does not exist in type 'PolicyDefaults
export const wrong: Overrides = { Books: { limiter: {} } };

// @ts-expect-error a kind of events that does not exist: `'opened'` Argument of type '"opened"' is not assignable to parameter of type
events.on('opened', () => undefined);

// @ts-expect-error a member of another kind of events: `to` Property 'to' does not exist on type
events.on('retry', (event) => event.to);

// @ts-expect-error a member of some kinds alone: `delayMs` Property 'delayMs' does not exist on type
events.subscribe((event) => event.delayMs);

// @ts-expect-error an event of another kind: `(event` Type 'TimeoutEvent' is not assignable to type 'LateEvent &
events.on('timeout', (event: ResilienceEvent & { type: 'late' }) => event.durationMs);

// @ts-expect-error an event without its name: `{ type` Property 'name' is missing in type
events.emit({ type: 'queued', waitedMs: 1 });

// @ts-expect-error a size in the place of options: `100` Type '100' has no properties in common with type 'EventIteratorOptions'
events.iterate(100);

// @ts-expect-error a state that does not exist: `breakers.get('storagesvc')` comparison appears to be unintentional
export const isClosed: boolean = breakers.get('storagesvc').state === 'halfopen';

// @ts-expect-error the name of a breaker cannot change: `name: 'other'` 'name' does not exist in type 'Omit
breakers.reconfigure('storagesvc', { name: 'other' });

// @ts-expect-error a date as text: `until: '2027-01-01'` Type 'string' is not assignable to type 'Date
breakers.get('storagesvc').forceOpen({ until: '2027-01-01' });
