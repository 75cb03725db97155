// npm run check:package: packs the library and treats the tarball as its users do.
//
// 1. attw and publint find no problem; the tarball has the right contents; code and types import only the peers.
// 2. On each Nest major the tarball is installed in an empty folder, and apps compiled from test/packaging run
//    in a real Node process: as ESM, as CommonJS, and as ESM beside a CommonJS package that requires the library.
//    The first of the Nest 10 folders has the lowest versions that the peer ranges allow.
// 3. The apps type-check with the TypeScript versions and module settings that users have, skipLibCheck off, and so do the
//    type cases: valid code compiles, and the errors of invalid code are in the right places (type-cases.mjs).
//
//   node scripts/check-package.mjs [--keep]     --keep leaves the folders for inspection and prints their paths
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { captureNode, filesBelow, fromRoot, mapLimit, npm, readJson } from './tools.mjs';
import { countCases, exposeErrors, problemsOf } from './type-cases.mjs';

const manifest = readJson(fromRoot('package.json'));
const PEERS = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];
/** Folders, and the optional peers that only they may import. */
const OPTIONAL_PEERS = {
  axios: ['@nestjs/axios', 'axios'],
  bullmq: ['bullmq'],
  'event-emitter': ['@nestjs/event-emitter'],
  health: ['@nestjs/terminus'],
  opentelemetry: ['@opentelemetry/api'],
  prometheus: ['prom-client'],
  redis: ['redis', 'ioredis'],
};

/** The lowest version that a peer range allows: 10.0.0 of `^10.0.0 || ^11.0.0`. */
const lowest = (peer) => /\d+\.\d+\.\d+/.exec(manifest.peerDependencies[peer])[0];

const NESTS = [
  // The types of the first rxjs 7 are out of reach under today's module settings, so this one only runs.
  {
    name: 'nest10-lowest',
    nest: lowest('@nestjs/core'),
    rxjs: lowest('rxjs'),
    metadata: lowest('reflect-metadata'),
    untyped: true,
  },
  { name: 'nest10', nest: '10.4.22', rxjs: '7.8.2', metadata: '0.2.2' },
  { name: 'nest11', nest: '11.2.10', rxjs: '7.8.2', metadata: '0.2.2' },
  { name: 'nest12', nest: '12.5.1', rxjs: '7.8.2', metadata: '0.2.2' },
];
const DEVELOPMENT_COMPILER = '6.0.3';
const COMPILERS = ['5.9.3', DEVELOPMENT_COMPILER, '7.0.2'];

const MODULES = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

const work = mkdtempSync(join(tmpdir(), 'nest-resilience-package-'));
let failures = 0;
const told = new Set();

try {
  const tarball = await pack();
  await check('attw', () => tool('@arethetypeswrong/cli', 'attw', [tarball, '--no-emoji']));
  await check('publint', () => tool('publint', 'publint', ['run', tarball, '--strict']));
  const [compilers, ...apps] = await Promise.all([
    installCompilers(),
    ...NESTS.map((nest) => installApp(nest, tarball)),
  ]);
  const library = join(apps[0].folder, 'node_modules', manifest.name);
  await check('contents', () => contents(library));
  await check('imports', () => imports(library));
  const { accepted, refused } = countCases(join(apps[0].folder, 'esm', 'types'));
  console.log(`     ${accepted} type cases that must compile, ${refused} that must not`);

  const results = await mapLimit(jobs(apps, compilers), availableParallelism(), async (job) => ({
    title: job.title,
    error: await job.run().then(
      () => undefined,
      (error) => error,
    ),
  }));
  for (const { title, error } of results) report(title, error);
} catch (error) {
  report('pack and install', error);
} finally {
  if (process.argv.includes('--keep')) console.log(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
console.log(failures === 0 ? 'the package is sound' : `${failures} problems with the package`);
process.exitCode = failures === 0 ? 0 : 1;

async function check(title, fn) {
  try {
    await fn();
    report(title);
  } catch (error) {
    report(title, error);
  }
}

function report(title, error) {
  console.log(`${error ? 'FAIL' : 'ok  '} ${title}`);
  if (!error) return;
  failures += 1;
  // The same mistake shows under many settings: its text is printed once.
  const message = String(error.message).replaceAll(/(\.\.\/)?nest\d+\/(esm|cjs)\//g, '');
  const lines = told.has(message) ? ['(as above)'] : message.split('\n').slice(0, 25);
  told.add(message);
  console.log(lines.map((line) => `     ${line}`).join('\n'));
}

/** Packs (which builds) and returns the tarball's path. */
async function pack() {
  await npm(['pack', '--pack-destination', work], fromRoot());
  const [tarball] = readdirSync(work).filter((name) => name.endsWith('.tgz'));
  return join(work, tarball);
}

async function must(args, cwd) {
  const { code, output } = await captureNode(args, { cwd });
  if (code !== 0) throw new Error(output.trim() || `exit code ${code}`);
}

/** Runs the command of an installed package. */
function tool(packageName, command, args, from = fromRoot()) {
  return must([scriptOf(packageName, command, from), ...args], from);
}

/** The script behind a command of an installed package. */
function scriptOf(packageName, command, from) {
  const folder = join(from, 'node_modules', packageName);
  const { bin } = readJson(join(folder, 'package.json'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

function contents(library) {
  const names = filesBelow(library).map((file) =>
    file.slice(library.length + 1).replaceAll('\\', '/'),
  );
  const wanted = [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'package.json',
    'schema.json',
    'dist/cjs/package.json',
    'dist/cjs/admin/page/files.cjs',
    'dist/esm/admin/page/files.cjs',
    'monitoring/alerts.yaml',
    'monitoring/dashboard.json',
    ...filesBelow(fromRoot('docs/runbooks')).map((file) => `docs/runbooks/${basename(file)}`),
  ];
  const missing = wanted.filter((name) => !names.includes(name));
  const strange = names.filter(
    (name) => !wanted.includes(name) && !/^dist\/(esm|cjs)\/.+\.(js|d\.ts|js\.map)$/.test(name),
  );
  const tests = names.filter((name) => /\.spec\./.test(name));
  const problems = [
    ...missing.map((name) => `missing: ${name}`),
    ...[...strange, ...tests].map((name) => `does not belong in the package: ${name}`),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** No optional package may leak into code or types, and `sideEffects: false` must be true. */
function imports(library) {
  const problems = [];
  for (const file of filesBelow(join(library, 'dist'))) {
    if (!/\.(js|d\.ts)$/.test(file)) continue;
    const text = readFileSync(file, 'utf8').replaceAll(
      /\/\*[\s\S]*?\*\/|^\s*\/\/(?!\/\s*<reference).*$/gm,
      '',
    );
    const specifiers = [
      ...text.matchAll(/\b(?:from|import|require\(|import\()\s*['"]([\w@#.:/-]+)['"]/g),
      ...text.matchAll(/<reference types="([^"]+)"/g),
    ].map(([, specifier]) => specifier);
    for (const specifier of specifiers) {
      const folder = /dist[\\/]\w+[\\/]([\w-]+)[\\/]/.exec(file.slice(library.length))?.[1];
      const peer = [...PEERS, ...(OPTIONAL_PEERS[folder] ?? [])].includes(specifier);
      const relative = /^\.\.?\//.test(specifier);
      if (!peer && !relative && !specifier.startsWith('node:')) {
        problems.push(`${file.slice(library.length + 1)} imports ${specifier}`);
      }
    }
    if (manifest.sideEffects === false) {
      for (const [, specifier] of text.matchAll(
        /^\s*(?:import|require\()\s*['"](\.[^'"]+)['"]\)?;/gm,
      )) {
        problems.push(
          `${file.slice(library.length + 1)} imports ${specifier} for its effect alone`,
        );
      }
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** Resolves to the `tsc` of each version: the path of its script. */
async function installCompilers() {
  const folder = join(work, 'typescript');
  writeJson(join(folder, 'package.json'), {
    private: true,
    dependencies: Object.fromEntries(
      COMPILERS.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]),
    ),
  });
  await npm(['install'], folder);
  return Object.fromEntries(
    COMPILERS.map((version) => [version, scriptOf(`typescript-${version}`, 'tsc', folder)]),
  );
}

/** An empty project with the tarball, and the apps of test/packaging in an ESM and a CommonJS folder. */
async function installApp({ name, nest, rxjs, metadata, untyped = false }, tarball) {
  const folder = join(work, name);
  writeJson(join(folder, 'package.json'), {
    private: true,
    dependencies: {
      [manifest.name]: `file:${tarball}`,
      '@nestjs/common': nest,
      '@nestjs/core': nest,
      '@nestjs/platform-express': nest,
      '@types/node': manifest.devDependencies['@types/node'],
      '@nestjs/axios':
        { 10: '3.1.3', 11: '4.0.1' }[nest.split('.')[0]] ??
        manifest.devDependencies['@nestjs/axios'],
      axios: manifest.devDependencies.axios,
      'reflect-metadata': metadata,
      rxjs,
    },
  });
  await npm(['install'], folder);

  const apps = fromRoot('test', 'packaging', 'consumer');
  for (const format of ['esm', 'cjs']) {
    cpSync(apps, join(folder, format), { recursive: true });
    exposeErrors(join(folder, format, 'types'));
    writeJson(join(folder, format, 'package.json'), {
      type: format === 'esm' ? 'module' : 'commonjs',
    });
  }
  rmSync(join(folder, 'cjs', 'two-copies.ts'));
  cpSync(fromRoot('test', 'packaging', 'reviews-client'), join(folder, 'reviews-client'), {
    recursive: true,
  });
  writeJson(join(folder, 'reviews-client', 'package.json'), {
    name: 'reviews-client',
    version: '1.0.0',
    type: 'commonjs',
    main: 'index.js',
  });
  return { name, folder, untyped };
}

function jobs(apps, compilers) {
  const list = [];
  for (const { name, folder, untyped } of apps) {
    const nest12 = name === 'nest12';
    list.push({
      title: `${name}: compiled, boots and serves`,
      run: () => serve(folder, untyped),
    });
    if (untyped) continue;
    for (const [version, compiler] of Object.entries(compilers)) {
      if (version !== DEVELOPMENT_COMPILER && !nest12) continue;
      for (const settings of Object.keys(MODULES)) {
        for (const format of ['esm', 'cjs']) {
          // Nest 12 is ESM only: with node16, CommonJS cannot import it, whatever this library does.
          if (nest12 && settings === 'node16' && format === 'cjs') continue;
          list.push({
            title: `${name}: types, TypeScript ${version}, ${settings}, ${format}`,
            run: () => typeCheck(compiler, folder, settings, format),
          });
        }
      }
    }
  }
  return list;

  async function serve(folder, noCheck) {
    const build = tsconfig(folder, 'build', {
      settings: 'nodenext',
      include: ['esm/*.ts', 'cjs/*.ts', 'reviews-client'],
      emit: true,
      noCheck,
    });
    await must([compilers[DEVELOPMENT_COMPILER], '-p', build], folder);
    cpSync(join(folder, 'reviews-client'), join(folder, 'node_modules', 'reviews-client'), {
      recursive: true,
    });
    for (const app of ['esm/app.js', 'cjs/app.js', 'esm/two-copies.js']) {
      await must([join(folder, app)], folder).catch((error) => {
        throw new Error(`${app}\n${error.message}`);
      });
    }
  }
}

/** Compiles the app and the type cases, and compares the errors with those that the cases expect. */
async function typeCheck(compiler, folder, settings, format) {
  const config = tsconfig(folder, `${settings}-${format}-${Math.random()}`, {
    settings,
    include: [`${format}/app.ts`, `${format}/types`],
  });
  const { output } = await captureNode([compiler, '-p', config, '--pretty', 'false'], {
    cwd: folder,
  });
  const problems = problemsOf(output, folder, join(folder, format, 'types'));
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function tsconfig(folder, name, { settings, include, emit = false, noCheck = false }) {
  const path = join(folder, `tsconfig.${name}.json`);
  writeJson(path, {
    compilerOptions: {
      ...MODULES[settings],
      target: 'es2022',
      lib: ['es2022'],
      types: ['node'],
      strict: true,
      skipLibCheck: false,
      esModuleInterop: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      noEmit: !emit,
      ...(noCheck ? { noCheck } : {}),
      declaration: emit,
      rootDir: '.',
    },
    include,
  });
  return path;
}

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value, null, 2) + '\n');
}
