const { availableParallelism } = require('node:os');

// CommonJS mode without flags: Nest 12 and others are ESM only, so they are compiled like the sources.
const swc = {
  // In files beside the code, which is much shorter without them; they are read when a stack trace is shown.
  sourceMaps: true,
  module: { type: 'commonjs' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};

const esmOnly = [
  // Nest 12 and what it needs
  '@nestjs',
  'cron',
  'graphql-ws',
  '@fastify/static',
  'mercurius',
  'quick-lru',
  'content-disposition',
  'file-type',
  'strtok3',
  '@tokenizer',
  'token-types',
  'uint8array-extras',
  'load-esm',
  '@borewit',
  // clients whose errors test/outcomes looks at
  'got',
  'ky',
  '@sec-ant',
  '@sindresorhus',
  '@?keyv',
  'byte-counter',
  'cacheable-lookup',
  'cacheable-request',
  'decompress-response',
  'form-data-encoder',
  'get-stream',
  'is-stream',
  'lowercase-keys',
  'mimic-response',
  'normalize-url',
  'p-cancelable',
  'responselike',
];

module.exports = {
  rootDir: __dirname,
  // Two processes at least, begun anew when they have grown: each test file leaves its AsyncLocalStorage behind, and on
  // Node 20 and 22 each promise goes through all of them.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  workerIdleMemoryLimit: '1GB',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  testRegex: '\\.(e2e-)?spec\\.ts$',
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^nest-resilience$': '<rootDir>/src/index.ts',
    '^nest-resilience/admin$': '<rootDir>/src/admin/index.ts',
    '^nest-resilience/axios$': '<rootDir>/src/axios/index.ts',
    '^nest-resilience/bullmq$': '<rootDir>/src/bullmq/index.ts',
    '^nest-resilience/event-emitter$': '<rootDir>/src/event-emitter/index.ts',
    '^nest-resilience/health$': '<rootDir>/src/health/index.ts',
    '^nest-resilience/hystrix-stream$': '<rootDir>/src/hystrix-stream/index.ts',
    '^nest-resilience/opentelemetry$': '<rootDir>/src/opentelemetry/index.ts',
    '^nest-resilience/prometheus$': '<rootDir>/src/prometheus/index.ts',
    '^nest-resilience/redis$': '<rootDir>/src/redis/index.ts',
    '^nest-resilience/testing$': '<rootDir>/src/testing/index.ts',
    '^\\./files\\.cjs$': '<rootDir>/dist/cjs/admin/page/files.cjs',
    '^#common/(.*)\\.js$': '<rootDir>/sample/common/src/$1',
  },
  transform: {
    '^.+\\.(t|j)s$': ['@swc/jest', swc],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
  coverageProvider: 'v8',
};
