// `protect()` and `protectProvider()`.
import type { Observable } from 'rxjs';
import { type ResilienceService, protectProvider } from 'nest-resilience';

declare class Storage {
  readonly bucket: string;
  readonly objects: { list(prefix: string): Promise<string[]> };
  getObject(key: string): Promise<Uint8Array>;
  watch(): Observable<string>;
  pages(): AsyncIterable<string>;
  close(): void;
  query(text: string): Promise<string[]>;
  query(text: string, callback: (rows: string[]) => void): void;
}

declare const resilience: ResilienceService;
declare const storage: Storage;
const STORAGE = Symbol('STORAGE');

// Compiles: a protected object has the type of the original
export const protectedStorage: Storage = resilience.protect(storage, {
  name: 'storagesvc',
  methods: { getObject: { retry: { maxRetries: 2 } }, watch: { timeout: '1s' }, pages: 'outgoing' },
});

// Compiles: policies of all methods, and of those of members
export const all = resilience.protect(storage, {
  name: 'storagesvc',
  '*': { pipeline: 'outgoing', bulkhead: 5 },
  members: ['objects'],
});

// Compiles: a method of a member by its path
export const member = resilience.protect(storage, {
  name: 'storagesvc',
  methods: { 'objects.list': { timeout: '1s' } },
});

// Compiles: a method that is asynchronous in one of its overloads
export const overloaded = resilience.protect(storage, {
  name: 'storagesvc',
  methods: { query: {} },
});

// Compiles: providers by class, by token, and by token with its type
export const providers = [
  protectProvider(Storage, { name: 'storagesvc', methods: { getObject: { bulkhead: 1 } } }),
  protectProvider(STORAGE, { name: 'storagesvc', methods: { anything: 'outgoing' } }),
  protectProvider<Storage>(STORAGE, { name: 'storagesvc', methods: { watch: 'outgoing' } }),
];

// @ts-expect-error no name: `{ '*'` Property 'name' is missing in type
resilience.protect(storage, { '*': {} });

// @ts-expect-error no options: `protect(storage)` Expected 2 arguments, but got 1
resilience.protect(storage);

// @ts-expect-error no object: `'storage'` Argument of type 'string' is not assignable to parameter of type 'object
resilience.protect('storage', { name: 'storagesvc', '*': {} });

// @ts-expect-error a method that does not exist: `putObject:` 'putObject' does not exist in type 'PoliciesByMethod
resilience.protect(storage, { name: 'storagesvc', methods: { putObject: {} } });

// @ts-expect-error a synchronous method: `close:` 'close' does not exist in type 'PoliciesByMethod
resilience.protect(storage, { name: 'storagesvc', methods: { close: {} } });

// @ts-expect-error a field: `bucket:` 'bucket' does not exist in type 'PoliciesByMethod
resilience.protect(storage, { name: 'storagesvc', methods: { bucket: {} } });

// @ts-expect-error '*' among the methods: `'*'` ''*'' does not exist in type 'PoliciesByMethod
resilience.protect(storage, { name: 'storagesvc', methods: { '*': {} } });

// @ts-expect-error an option of another policy: `openFor: '1s'` 'openFor' does not exist in type 'RetryOptions
resilience.protect(storage, { name: 'storagesvc', '*': { retry: { openFor: '1s' } } });

// @ts-expect-error a policy that does not exist: `limiter:` 'limiter' does not exist in type 'PipelineOptions
resilience.protect(storage, { name: 'storagesvc', methods: { watch: { limiter: {} } } });

// @ts-expect-error a wrong unit for a method of a member: `timeout: '1sec'` Type '"1sec"' is not assignable to type
resilience.protect(storage, { name: 's', methods: { 'objects.list': { timeout: '1sec' } } });

// @ts-expect-error the methods as a list: `methods:` Type 'string[]' is not assignable to type 'PoliciesByMethod
resilience.protect(storage, { name: 'storagesvc', methods: ['getObject'] });

// @ts-expect-error a member in the place of a list of them: `members: 'objects'` Type 'string' is not assignable to type 'readonly string[]
resilience.protect(storage, { name: 'storagesvc', '*': {}, members: 'objects' });

// @ts-expect-error a provider without options: `protectProvider(Storage)` Expected 2 arguments, but got 1
protectProvider(Storage);

// @ts-expect-error a provider without a name: `{ '*'` Property 'name' is missing in type
protectProvider(Storage, { '*': {} });

// @ts-expect-error a method that the class of the token does not have: `putObject:` 'putObject' does not exist in type 'PoliciesByMethod
protectProvider(Storage, { name: 'storagesvc', methods: { putObject: {} } });

// @ts-expect-error a synchronous method of the class of the token: `close:` 'close' does not exist in type 'PoliciesByMethod
protectProvider(Storage, { name: 'storagesvc', methods: { close: {} } });

// @ts-expect-error a method that the given type does not have: `putObject:` 'putObject' does not exist in type 'PoliciesByMethod
protectProvider<Storage>(STORAGE, { name: 'storagesvc', methods: { putObject: {} } });
