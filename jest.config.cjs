// CommonJS mode without flags: Nest 12 and its dependencies are ESM only, so they are compiled like the sources.
const swc = {
  sourceMaps: 'inline',
  module: { type: 'commonjs' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};

module.exports = {
  rootDir: __dirname,
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: 'node',
  testRegex: '\\.(e2e-)?spec\\.ts$',
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^nest-resilience$': '<rootDir>/src/index.ts',
    '^nest-resilience/hystrix-stream$': '<rootDir>/src/hystrix-stream/index.ts',
    '^nest-resilience/testing$': '<rootDir>/src/testing/index.ts',
  },
  transform: { '^.+\\.(t|j)s$': ['@swc/jest', swc] },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|file-type|strtok3|@tokenizer|token-types|uint8array-extras|load-esm|@borewit)/)',
  ],
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
  coverageProvider: 'v8',
};
