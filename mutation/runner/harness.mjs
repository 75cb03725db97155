// Runs one spec file in this process, with the parts of Jest: circus, expect, mocks and fake timers.
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { Compiler, Modules } from './modules.mjs';

const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');
/** Keys of the state that copies of the library share, see src/common/brand.ts. */
const SHARED = 'nest-resilience:';

/** Globals that specs replace, and would leave behind when they fail. */
const PLATFORM = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'Date',
  'AbortController',
  'AbortSignal',
];

const platformNow = () =>
  PLATFORM.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);

const { setImmediate } = globalThis;
const turn = () => new Promise((resolve) => setImmediate(resolve));

export class Harness {
  #unhandled = new Map();
  #thrown = [];
  #listen = () => undefined;

  constructor(root) {
    this.root = root;
    this.platform = { globals: platformNow(), nextTick: process.nextTick };
    this.stackTraceLimit = Error.stackTraceLimit;
    this.compiler = new Compiler(root);
    const require = createRequire(join(root, 'package.json'));
    this.circus = require('jest-circus');
    this.expect = require('@jest/expect').jestExpect;
    this.parts = { ...require('jest-mock'), ...require('@jest/fake-timers') };
    const { describe, it, test, beforeAll, beforeEach, afterEach, afterAll } = this.circus;
    const hooks = { beforeAll, beforeEach, afterEach, afterAll };
    Object.assign(globalThis, { describe, it, test, ...hooks, expect: this.expect });
    this.circus.addEventHandler((event) => this.#listen(event));
    process.on('unhandledRejection', (error, promise) => this.#unhandled.set(promise, error));
    process.on('rejectionHandled', (promise) => this.#unhandled.delete(promise));
    process.on('uncaughtException', (error) => this.#thrown.push(error));
  }

  /**
   * Loads a fresh copy of a spec file and runs its tests.
   *
   * @param file the path of the file below the root; also the name of everything outside its tests
   * @param options.only runs the tests of these names; default: all
   * @param options.bail runs no more tests after the first that fails
   * @param options.timeout the longest time that a test of a name may take, in milliseconds; the file's is for hooks
   * @param options.enter is called with the name of each test, and with that of the file in between
   * @returns the tests that ran, `{ name, ms, error }`; one is named like the file
   */
  async run(file, { only, bail = false, timeout = () => Infinity, enter = () => undefined }) {
    const results = [];
    const started = performance.now();
    this.#unhandled.clear();
    this.#thrown = [];
    delete globalThis[TEST_TIMEOUT];
    this.#restorePlatform();
    for (const key of Object.getOwnPropertySymbols(globalThis)) {
      if (key.description?.startsWith(SHARED)) delete globalThis[key];
    }
    this.circus.resetState();
    enter(file);
    const jest = new JestParts(this.parts);
    const write = process.stdout.write;
    process.stdout.write = () => true;
    let failure;
    try {
      const modules = new Modules(this.compiler, (own) => jest.of(own));
      modules.load(join(this.root, file));
      const tests = this.#namedTests(file);
      const byName = new Map(tests.map(([test, name]) => [name, test]));
      for (const [name, test] of byName) if (only && !only.has(name)) test.mode = 'skip';
      const usual = globalThis[TEST_TIMEOUT] ?? 5_000;
      globalThis[TEST_TIMEOUT] = Math.min(usual, timeout(file));
      for (const [test, name] of tests)
        test.timeout = Math.min(test.timeout ?? usual, timeout(name));
      const load = performance.now() - started;
      const names = new Map(tests);
      this.#listen = async ({ name, test }) => {
        if (name === 'test_start') {
          enter(names.get(test));
          test.began = performance.now();
        }
        if (name !== 'test_done') return;
        const ms = performance.now() - test.began;
        await this.#addErrors(test);
        enter(file);
        const [error] = test.errors;
        results.push({ name: names.get(test), ms, error: error && messageOf(error) });
        if (error && bail) for (const [other] of tests) other.mode = 'skip';
      };
      const { unhandledErrors } = await this.circus.run();
      await turn();
      const [error] = [...unhandledErrors, ...this.#takeErrors()];
      results.push({ name: file, ms: load, error: error && messageOf(error) });
    } catch (error) {
      failure = messageOf(error);
      results.push({ name: file, ms: performance.now() - started, error: failure });
    } finally {
      this.#listen = () => undefined;
      jest.restore();
      process.stdout.write = write;
    }
    return results;
  }

  /** Under Jest each spec file has a world of its own. */
  #restorePlatform() {
    for (const [name, property] of this.platform.globals) {
      Object.defineProperty(globalThis, name, property);
    }
    process.nextTick = this.platform.nextTick;
    Error.stackTraceLimit = this.stackTraceLimit;
  }

  #namedTests(file) {
    const tests = [];
    const names = new Set();
    const walk = (block, titles) => {
      for (const child of block.children) {
        const path = [...titles, child.name];
        if (child.type === 'describeBlock') {
          walk(child, path);
          continue;
        }
        let name = `${file}: ${path.join(' › ')}`;
        for (let n = 2; names.has(name); n++) name = `${file}: ${path.join(' › ')} (${n})`;
        names.add(name);
        tests.push([child, name]);
      }
    };
    walk(this.circus.getState().rootDescribeBlock, []);
    return tests;
  }

  async #addErrors(test) {
    await turn();
    const { suppressedErrors, isExpectingAssertions } = this.expect.getState();
    const missed = this.expect.extractExpectedAssertionsErrors().map(({ error }) => error);
    this.expect.setState({ suppressedErrors: [] });
    test.errors.push(...(suppressedErrors ?? []), ...this.#takeErrors());
    if (!isExpectingAssertions || test.errors.length === 0) test.errors.push(...missed);
  }

  #takeErrors() {
    const errors = [...this.#unhandled.values(), ...this.#thrown];
    this.#unhandled.clear();
    this.#thrown = [];
    return errors;
  }

  /** The spec file of a path, as it is named here. */
  nameOf(path) {
    return relative(this.root, path).replaceAll('\\', '/');
  }
}

/** The part of the `jest` object that our specs use. */
class JestParts {
  constructor({ ModuleMocker, ModernFakeTimers, LegacyFakeTimers }) {
    this.mocker = new ModuleMocker(globalThis);
    const config = { fakeTimers: {}, rootDir: '/', testMatch: [] };
    const modern = new ModernFakeTimers({ global: globalThis, config });
    const timerConfig = {
      idToRef: (id) => ({ id, ref: () => ({ id }), unref: () => ({ id }) }),
      refToId: (timer) => timer?.id,
    };
    const { mocker: moduleMocker } = this;
    const parts = { config, global: globalThis, moduleMocker, timerConfig };
    this.kinds = { modern, legacy: new LegacyFakeTimers(parts) };
    this.timers = modern;
  }

  /** @param own the functions for modules, which belong to one of them */
  of(own) {
    const { mocker } = this;
    const jest = {
      ...own,
      fn: mocker.fn.bind(mocker),
      spyOn: mocker.spyOn.bind(mocker),
      restoreAllMocks: () => mocker.restoreAllMocks(),
      setTimeout: (ms) => (globalThis[TEST_TIMEOUT] = ms),
      useFakeTimers: (config) => {
        this.timers = config?.legacyFakeTimers ? this.kinds.legacy : this.kinds.modern;
        this.timers.useFakeTimers(config);
        return jest;
      },
      useRealTimers: () => {
        this.timers.useRealTimers();
        return jest;
      },
    };
    for (const name of [
      'advanceTimersByTime',
      'advanceTimersByTimeAsync',
      'getTimerCount',
      'setSystemTime',
      'clearAllTimers',
    ]) {
      jest[name] = (...args) => this.timers[name](...args);
    }
    return jest;
  }

  restore() {
    this.timers.useRealTimers();
    this.kinds.modern.useRealTimers();
    this.mocker.restoreAllMocks();
  }
}

function messageOf(error) {
  const [first] = Array.isArray(error) ? error : [error];
  return String(first?.stack ?? first?.message ?? first);
}
