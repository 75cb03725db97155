/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'specs',
  plugins: ['./mutation/runner/plugin.mjs'],
  coverageAnalysis: 'perTest',
  mutate: ['policies', 'pipeline', 'common', 'execution'].flatMap((folder) => [
    `src/${folder}/**/*.ts`,
    '!src/**/*.spec.ts',
  ]),
  ignorePatterns: ['dist', 'bench', 'api', 'mutation', 'scripts'],
  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  clearTextReporter: {
    allowColor: false,
    reportTests: false,
    reportMutants: false,
    allowEmojis: false,
  },
  jsonReporter: { fileName: 'mutation/reports/mutation.json' },
  htmlReporter: { fileName: 'mutation/reports/index.html' },
  tempDirName: 'mutation/.sandbox',
  concurrency: 2,
  dryRunTimeoutMinutes: 30,
  timeoutMS: 10_000,
  timeoutFactor: 1,
  maxTestRunnerReuse: 300,
  allowConsoleColors: false,
  disableTypeChecks: false,
};
