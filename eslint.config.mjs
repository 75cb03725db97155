import { readdirSync } from 'node:fs';
import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Entry points beside the library; a user may leave any of them out. */
const exporters = [
  'admin',
  'axios',
  'bullmq',
  'event-emitter',
  'health',
  'hystrix-stream',
  'opentelemetry',
  'prometheus',
  'redis',
];

/** The floors of the house, lowest first. A file imports its own floor and those below it. */
const layers = [
  ['common'],
  ['fleet', 'telemetry', 'testing'],
  ['pipeline'],
  ['policies'],
  ['registry', 'presets'],
  ['execution', 'decorators'],
  ['commands', 'third-parties', 'http'],
  ['instruments'],
  exporters,
];

/** For users alone: no other folder imports them, so that exporters do not import each other either. */
const leaves = ['testing', 'presets', ...exporters];

const foldersIn = (path) =>
  readdirSync(new URL(path, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

for (const folder of foldersIn('src/')) {
  if (!layers.flat().includes(folder)) {
    throw new Error(`src/${folder} is on no floor: add it to \`exporters\` or \`layers\``);
  }
}

const layerZones = layers.flatMap((folders, floor) =>
  folders.map((folder) => ({
    target: `./src/${folder}`,
    from: './src',
    except: layers
      .slice(0, floor + 1)
      .flat()
      .filter((name) => name === folder || !leaves.includes(name))
      .map((name) => `./${name}`),
    message: `Imports point down: ${layers.map((names) => names.join('/')).join(' < ')} < module; and none to ${leaves.join(', ')}.`,
  })),
);

/** The retry compares its waits with the total timeout; nothing else of a policy is known to another one. */
const acquaintances = { retry: ['timeout'] };

/** `backoff` is not a policy: retries and breakers use it for their waits. */
const policies = foldersIn('src/policies/').filter((name) => name !== 'backoff');

const policyZones = policies.map((policy) => ({
  target: `./src/policies/${policy}`,
  from: policies
    .filter((other) => other !== policy && !acquaintances[policy]?.includes(other))
    .map((other) => `./src/policies/${other}`),
  message: 'What several policies need is in src/policies itself.',
}));

/** Code that runs calls knows policies by their definitions, not by their names. */
const nameless = ['execution', 'commands'].map((folder) => ({
  target: `./src/${folder}`,
  from: './src/policies/*/**/*',
  message:
    'Add what is needed to `Policy` in src/policies/policy.ts: a new policy must not need an edit here.',
}));

export default defineConfig(
  globalIgnores([
    '**/dist/',
    'bench/.former/',
    'mutation/.sandbox/',
    'mutation/reports/',
    '**/node_modules/',
    'coverage/',
  ]),
  eslint.configs.recommended,
  {
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.js', '.mjs', '.cjs'],
          extensionAlias: { '.js': ['.ts', '.js'] },
        }),
      ],
      // Cycles are looked for in our own files only.
      'import-x/external-module-folders': ['node_modules'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-useless-rename': 'error',
      'object-shorthand': ['error', 'properties'],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    languageOptions: { globals: globals.node },
    rules: {
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A decorated method returns a promise, so it is async also when it awaits nothing.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // Errors of any kind go to the caller as they are.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A class and a method are a Function to a decorator.
      '@typescript-eslint/no-unsafe-function-type': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': [
        'error',
        { zones: [...layerZones, ...policyZones, ...nameless], basePath: import.meta.dirname },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^@nestjs/[^/]+/.+',
              message: 'Import Nest from package roots only: deep paths differ between majors.',
            },
          ],
        },
      ],
    },
  },
  {
    // The main entry lives on its peers alone.
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.spec.ts'],
    rules: {
      'max-lines': ['error', 300],
      'import-x/no-extraneous-dependencies': [
        'error',
        { devDependencies: false, optionalDependencies: false, includeTypes: true },
      ],
      'no-console': 'error',
    },
  },
  {
    // Tool configurations are default exports by convention.
    files: ['**/*.config.{ts,mjs,cjs}'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    // Specs feed wrong things on purpose and look at what mocks received.
    files: ['**/*.spec.ts', '**/*.e2e-spec.ts', 'test/**/*.ts'],
    rules: {
      'import-x/no-restricted-paths': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },
  {
    // The page has its own platform: a browser.
    files: ['ui/src/**/*.ts', 'ui/src/**/*.tsx'],
    languageOptions: {
      parserOptions: { project: './ui/tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
  },
);
