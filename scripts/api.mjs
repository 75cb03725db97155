// npm run api: writes a report of the exports of each entry point into api/, so that reviews see changes of the API.
//
// A report shows the exports and, without `export`, the types that they refer to: base classes, parts of a
// signature. It omits types that only our own code uses.
//
//   node scripts/api.mjs [--check]     --check writes nothing; it fails when a report in api/ is not up to date
//                                      or an export has no doc comment
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromRoot, readJson, run } from './tools.mjs';

const check = process.argv.includes('--check');
const manifest = readJson(fromRoot('package.json'));
const folder = fromRoot('api');

/** `{ name, file }` of each entry point that has types. tsc writes the same types for CommonJS. */
const entryPoints = Object.entries(manifest.exports)
  .filter(([, target]) => target.import?.types)
  .map(([path, target]) => ({
    name: `${manifest.name}${path.slice(1)}`,
    file: `${path === '.' ? manifest.name : path.slice(2).replaceAll('/', '-')}.api.md`,
    types: fromRoot(target.import.types),
  }));

/** Types that are shown without their references: `typeof canonicalOrder` is read for the names of policies and stages. */
const NOT_FOLLOWED = ['canonicalOrder'];

const MESSAGES = {
  compilerMessageReporting: { default: { logLevel: 'error' } },
  extractorMessageReporting: {
    default: { logLevel: 'error' },
    // Release tags (@public, @beta) are a convention of API Extractor; here an export is public.
    'ae-missing-release-tag': { logLevel: 'none' },
    // Shown in the report without `export`. Users do not need their names.
    'ae-forgotten-export': { logLevel: 'none' },
    // Editors resolve links in their own file; API Extractor only looks among the exports.
    'ae-unresolved-link': { logLevel: 'none' },
    // `(undocumented)` in the report; exports without a doc comment are found below.
    'ae-undocumented': { logLevel: 'none' },
  },
  // Comments are written for editors, which read JSDoc: braces in examples and @param without a hyphen are fine.
  tsdocMessageReporting: { default: { logLevel: 'none' } },
};

const problems = [];

if (!isBuilt() && run(process.execPath, [fromRoot('scripts', 'build.mjs')]) !== 0) process.exit(1);
const reports = extract();
for (const { name, text } of reports) {
  for (const line of undocumented(text)) problems.push(`${name}: no doc comment: ${line}`);
}
if (check) compare();
else write();

for (const problem of problems) console.error(problem);
if (problems.length === 0) {
  console.log(`api/: ${reports.length} reports ${check ? 'are up to date' : 'written'}`);
} else {
  process.exitCode = 1;
}

/** Whether dist was built from the current sources. The file is the last one that the build writes. */
function isBuilt() {
  const last = fromRoot('dist', 'cjs', 'package.json');
  if (!existsSync(last)) return false;
  const built = statSync(last).mtimeMs;
  const sources = [
    ...readdirSync(fromRoot('src'), { recursive: true }).map((name) => fromRoot('src', name)),
    ...readdirSync(fromRoot())
      .filter((name) => /^tsconfig.*\.json$/.test(name))
      .map((name) => fromRoot(name)),
  ];
  return sources.every((path) => statSync(path).mtimeMs < built);
}

function extract() {
  const work = mkdtempSync(join(tmpdir(), 'nest-resilience-api-'));
  try {
    // All entry points are compiled at once.
    const configs = entryPoints.map((entry) => configOf(entry, work));
    const compilerState = CompilerState.create(configs[0], {
      additionalEntryPoints: entryPoints.map(({ types }) => types),
    });
    return entryPoints.map(({ name, file }, i) => {
      const { errorCount } = Extractor.invoke(configs[i], {
        localBuild: true,
        compilerState,
        // Messages about its compiler and the files that it writes are irrelevant.
        messageCallback: (message) => {
          if (message.category === 'console' && message.logLevel !== 'error')
            message.handled = true;
        },
      });
      if (errorCount > 0) problems.push(`${name}: ${errorCount} errors, see above`);
      const report = readFileSync(join(work, file), 'utf8');
      return { name, file, text: publicPart(report, name) };
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function configOf({ types, file }, work) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: fromRoot('package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: fromRoot(),
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          extends: './tsconfig.build.json',
          include: [],
          files: entryPoints.map((entry) => entry.types),
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: file,
        reportFolder: work,
        reportTempFolder: join(work, 'temp'),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: MESSAGES,
    },
  });
}

/** The report without parts that only our own code uses: protected members, and types that no export refers to. */
function publicPart(report, name) {
  const parts = report
    .replace(/^## .*$/m, `## Public API of \`${name}\``)
    // No class here is meant to be extended by users: protected members are for our own subclasses.
    .replaceAll(/(?:^ {4}\/\/ .*\n)?^ {4}protected [\s\S]*?;\n(?= {4}[^ }]|\})/gm, '')
    .split(/\n\n(?=\/\/ [@(])/)
    .map((text) => ({ text, ...declarationIn(text) }));
  const seen = new Set(parts.filter((part) => part.exported || !part.name));
  for (const part of seen) {
    if (NOT_FOLLOWED.includes(part.name)) continue;
    const words = new Set(part.text.replaceAll(/^ *\/\/.*$/gm, '').match(/[\w$]+/g));
    for (const other of parts) if (words.has(other.name)) seen.add(other);
  }
  return parts
    .filter((part) => seen.has(part))
    .map(({ text }) => text)
    .join('\n\n');
}

function declarationIn(text) {
  const [, exported, name] =
    /^(export )?(?:declare |abstract )*(?:class|interface|type|const|let|function|enum|namespace) ([\w$]+)/m.exec(
      text,
    ) ?? [];
  return { exported: exported !== undefined, name };
}

/** The first lines of the exports that have no doc comment; of an overloaded function, of each overload. */
function undocumented(text) {
  return [...text.matchAll(/^\/\/ @.*\(undocumented\)\n(export .*)$/gm)].map(([, line]) => line);
}

function write() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { file, text } of reports) writeFileSync(join(folder, file), text);
}

function compare() {
  const fresh = new Map(reports.map(({ file, text }) => [file, text]));
  const committed = new Map(
    (existsSync(folder) ? readdirSync(folder) : []).map((file) => [
      file,
      readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n'),
    ]),
  );
  for (const file of new Set([...fresh.keys(), ...committed.keys()])) {
    if (fresh.get(file) === committed.get(file)) continue;
    problems.push(
      `api/${file} is not up to date: run \`npm run api\` and commit the result`,
      ...onlyIn(committed.get(file), fresh.get(file), '-'),
      ...onlyIn(fresh.get(file), committed.get(file), '+'),
    );
  }
}

/** The first lines of `text` that `other` does not have. */
function onlyIn(text = '', other = '', sign) {
  const known = new Set(other.split('\n'));
  return text
    .split('\n')
    .filter((line) => !known.has(line))
    .slice(0, 20)
    .map((line) => `  ${sign} ${line}`);
}
