// Stryker's test runner for this project: each mutant runs the tests that reach it, in one process, the nearest spec
// files first. Each mutant gets freshly loaded spec files, so nothing of the previous mutant is left.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner';
import { Harness } from './harness.mjs';
import { nearestFirst, specFiles } from './specs.mjs';

/** A test that takes longer than this while a mutant is active counts as hanging. */
const timeoutOf = (ms) => 2_000 + 5 * ms;

/** A spec file that takes longer than this while a mutant is active hangs for good. */
const lostAfter = (ms) => 10_000 + 5 * ms;

/** How long tests are run for a mutant, without MUTATION_EVERYWHERE: if they find it at all, they usually find it soon. */
const PATIENCE_MS = process.env.MUTATION_EVERYWHERE ? Infinity : 5_000;

/** Times of the dry run, for all processes: of each test, and of each spec file. */
const TIMES = 'spec-times.json';

class SpecRunner {
  #harness = new Harness(process.cwd());
  #instrumented = (globalThis.__stryker__ ??= {});
  #times;
  #watchdog = new Worker(new URL('watchdog.mjs', import.meta.url));
  /** The spec files that have found mutants of a source, the last one first. */
  #finders = new Map();
  /** Whether a mutant may have left something behind in this process. */
  #tainted = false;

  capabilities() {
    return { reloadEnvironment: true };
  }

  /** Runs all tests once. Code that a spec file reaches outside its tests is noted under the name of the file. */
  async dryRun() {
    const coverage = { static: {}, perTest: {} };
    this.#instrumented.mutantCoverage = coverage;
    const tests = [];
    const times = {};
    const enter = (name) => (this.#instrumented.currentTestId = name);
    for (const file of specFiles(this.#harness.root)) {
      const started = performance.now();
      for (const { name, ms, error } of await this.#runInEarnest(file, enter)) {
        if (name !== file) times[name] = ms;
        const test = { id: name, name, fileName: file, timeSpentMs: ms };
        const failed = { status: TestStatus.Failed, failureMessage: error };
        tests.push({ ...test, ...(error ? failed : { status: TestStatus.Success }) });
      }
      times[file] = performance.now() - started;
    }
    this.#instrumented.mutantCoverage = undefined;
    this.#instrumented.currentTestId = undefined;
    writeFileSync(TIMES, JSON.stringify(times));
    return { status: DryRunStatus.Complete, tests, mutantCoverage: coverage };
  }

  /** Some tests check how long something takes, and sources that record coverage take longer. */
  async #runInEarnest(file, enter) {
    for (let left = 3; ; left--) {
      const results = await this.#harness.run(file, { enter });
      if (left === 0 || results.every(({ error }) => error === undefined)) return results;
    }
  }

  async mutantRun({ testFilter, activeMutant, hitLimit, sandboxFileName }) {
    const mark = `lost-mutant-${activeMutant.id}`;
    if (existsSync(mark)) return { status: MutantRunStatus.Timeout, reason: 'blocked the process' };
    if (this.#tainted) throw new Error('needs a new process');
    const unsure = `unsure-mutant-${activeMutant.id}`;
    const tests = bySpec(testFilter);
    const source = this.#harness.nameOf(sandboxFileName);
    // The limit is for the whole dry run, this one for each spec file.
    const mostHits = hitLimit / 10;
    const started = performance.now();
    let nrOfTests = 0;
    for (const file of this.#inOrder([...tests.keys()], source)) {
      if (performance.now() - started > PATIENCE_MS) break;
      const names = tests.get(file);
      // Reached outside its tests: any of them may notice.
      const only = names.includes(file) ? undefined : new Set(names);
      // The second try, in a new process: if the spec fails without the mutant there too, others have to decide.
      const again = existsSync(unsure);
      if (again && !(await this.#passesWithout(file, only))) continue;
      this.#watchdog.postMessage({ ms: lostAfter(this.#msOf(file)), mark });
      const results = await this.#run(file, { only, activeMutant: activeMutant.id, mostHits });
      this.#watchdog.postMessage({});
      const { hitCount } = this.#instrumented;
      if (hitCount > mostHits)
        return { status: MutantRunStatus.Timeout, reason: 'loops too often' };
      nrOfTests += results.length;
      const failed = results.find(({ error }) => error !== undefined);
      if (!failed) continue;
      if (again) {
        this.#tainted = true;
      } else if (!(await this.#passesWithout(file, new Set([failed.name]), only))) {
        writeFileSync(unsure, '');
        throw new Error(`"${failed.name}" fails without the mutant too`);
      }
      this.#finders.set(source, [...new Set([file, ...(this.#finders.get(source) ?? [])])]);
      const { name, error } = failed;
      return { status: MutantRunStatus.Killed, killedBy: [name], failureMessage: error, nrOfTests };
    }
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  dispose() {
    return this.#watchdog.terminate();
  }

  #inOrder(files, source) {
    const known = (this.#finders.get(source) ?? []).filter((file) => files.includes(file));
    const nearest = nearestFirst(files, source, this.#msOf);
    const [first] = nearest;
    return [...new Set([first, ...known.slice(0, 3), ...nearest])];
  }

  async #run(file, { only, activeMutant, mostHits }) {
    const instrumented = this.#instrumented;
    instrumented.activeMutant = activeMutant;
    instrumented.hitCount = mostHits === undefined ? undefined : 0;
    instrumented.hitLimit = mostHits;
    try {
      const timeout = (name) => timeoutOf(this.#msOf(name));
      return await this.#harness.run(file, { only, bail: true, timeout });
    } finally {
      instrumented.activeMutant = undefined;
    }
  }

  /** If a test fails without the mutant too, it has another reason, or the mutant has left something behind. */
  async #passesWithout(file, ...selections) {
    for (const only of selections) {
      const results = await this.#run(file, { only });
      if (results.every(({ error }) => error === undefined)) return true;
    }
    return false;
  }

  #msOf = (name) => {
    this.#times ??= JSON.parse(readFileSync(TIMES, 'utf8'));
    return this.#times[name] ?? 0;
  };
}

function bySpec(names) {
  const groups = new Map();
  for (const name of names) {
    const [file] = name.split(': ', 1);
    const group = groups.get(file) ?? [];
    groups.set(file, group);
    group.push(name);
  }
  return groups;
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'specs', SpecRunner)];
