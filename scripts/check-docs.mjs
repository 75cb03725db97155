// npm run check:docs: compiles every ```ts fence of README.md, CHANGELOG.md and docs/**/*.md, and follows their links.
//
// The rule for snippets:
// - Each ```ts fence is a module of its own and compiles as it stands, strict, against the library's sources.
// - Code that readers need not see goes into an HTML comment right above the fence (several may follow each other):
//     <!-- setup:
//     import { Injectable } from '@nestjs/common';
//     -->
// - A line that must not compile says so: `// @ts-expect-error` above it.
// - Unused names are fine; any other complaint of the compiler is an error. So is finding no snippet at all.
// - ```ts test/recipes/x.ts is that file, which a spec runs: all of it, or the part after its line `// docs/…`. Each file
//   of a recipe has to be shown.
//
// The rule for links: a relative link points to an existing file, its #anchor to a heading there, and every
// page under docs/ can be reached from README.md by links.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { fromRoot, root } from './tools.mjs';

const RECIPES = 'test/recipes';

const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...markdownIn('docs'),
].filter((page) => existsSync(fromRoot(page)));
const texts = new Map(pages.map((page) => [page, readFileSync(fromRoot(page), 'utf8')]));

const snippets = pages.flatMap((page) => snippetsOf(page, texts.get(page)));
const problems = [...compile(snippets), ...checkFiles(), ...checkLinks()];
if (snippets.length === 0) problems.push('no ```ts snippet found in README.md and docs/');

for (const problem of problems) console.error(problem);
console.log(
  `${snippets.length} snippets in ${pages.length} pages: ${problems.length === 0 ? 'all compile, all links lead somewhere' : `${problems.length} problems`}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function markdownIn(folder) {
  if (!existsSync(fromRoot(folder))) return [];
  return readdirSync(fromRoot(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

/** A snippet's text keeps its place in the page, so that compiler messages carry the page's line numbers. */
function snippetsOf(page, text) {
  const lines = text.split('\n');
  const found = [];
  let setup = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^( {0,3})(`{3,}|~{3,})\s*(\w*)\s*(\S*)/.exec(lines[i]);
    if (fence) {
      const [, , ticks, language, file] = fence;
      const first = i + 1;
      for (i = first; i < lines.length && !lines[i].trim().startsWith(ticks); i++);
      if (language === 'ts' || language === 'typescript') {
        const shown = lines.slice(first, i);
        const own = shown.map((line, n) => [first + n, line]);
        const text = place([...setup, ...own]);
        found.push({ page, line: first, text, file, shown: shown.join('\n') });
      }
      setup = [];
    } else if (/^\s*<!--\s*setup:/.test(lines[i])) {
      const first = i;
      while (i < lines.length - 1 && !lines[i].includes('-->')) i++;
      for (let n = first; n <= i; n++) {
        setup.push([n, lines[n].replace(/^\s*<!--\s*setup:/, '').replace(/-->.*$/, '')]);
      }
    } else if (lines[i].trim() !== '') {
      setup = [];
    }
  }
  return found;
}

function place(numberedLines) {
  const text = [];
  for (const [number, line] of numberedLines) text[number] = line;
  return Array.from(text, (line) => line ?? '').join('\n') + '\nexport {};\n';
}

function compile(snippets) {
  const configPath = fromRoot('tsconfig.check.json');
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile(configPath, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const options = {
    ...config.options,
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    types: ['node'],
  };
  // Virtual files beside src, so that they resolve packages and `nest-resilience` as src does.
  const files = new Map(
    snippets.map((snippet) => [
      fromRoot(`${snippet.page.replaceAll(/[\\/]/g, '__')}.${snippet.line}.ts`).replaceAll(
        '\\',
        '/',
      ),
      snippet,
    ]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name)?.text ?? readFile(name);
  host.getSourceFile = (name, languageVersion, ...rest) =>
    files.has(name)
      ? ts.createSourceFile(name, files.get(name).text, languageVersion)
      : getSourceFile(name, languageVersion, ...rest);

  const program = ts.createProgram([...files.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n  ');
    if (!file) return message;
    const line = ts.getLineAndCharacterOfPosition(file, start).line + 1;
    const page = files.get(file.fileName)?.page ?? relative(root, file.fileName);
    return `${page}:${line} ${message}`;
  });
}

/** Snippets that have to match a file, and the files of recipes. */
function checkFiles() {
  const problems = [];
  const shown = snippets.filter(({ file }) => file !== '');
  for (const snippet of shown) {
    const { page, line, file } = snippet;
    if (!existsSync(fromRoot(file))) problems.push(`${page}:${line} no such file: ${file}`);
    else if (snippet.shown.trim() !== partForDocs(file)) {
      problems.push(`${page}:${line} is not the code of ${file}; copy it from there`);
    }
  }
  const files = readdirSync(fromRoot(RECIPES)).filter((name) => /^[^.]+\.ts$/.test(name));
  for (const file of files.map((name) => `${RECIPES}/${name}`)) {
    if (!shown.some((snippet) => snippet.file === file)) problems.push(`${file}: no page shows it`);
  }
  return problems;
}

function partForDocs(file) {
  const text = readFileSync(fromRoot(file), 'utf8');
  const [, below] = /^\/\/ docs\/.*\n([^]*)/m.exec(text) ?? [];
  return (below ?? text).trim();
}

function checkLinks() {
  const problems = [];
  const reached = new Set();
  const visit = (page) => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const { target, line } of linksOf(texts.get(page))) {
      if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
      const [path, anchor] = decodeURI(target).split('#');
      const file = path === '' ? fromRoot(page) : resolve(fromRoot(dirname(page)), path);
      const name = relative(root, file);
      if (path.startsWith('/') || name.startsWith('..')) {
        problems.push(`${page}:${line} link ${target} leads out of the project`);
      } else if (!existsSync(file)) {
        problems.push(`${page}:${line} link ${target}: no such file`);
      } else if (
        anchor &&
        name.endsWith('.md') &&
        !anchorsOf(readFileSync(file, 'utf8')).has(anchor)
      ) {
        problems.push(`${page}:${line} link ${target}: no such heading`);
      }
      if (texts.has(name)) visit(name);
      else if (existsSync(file) && statSync(file).isDirectory()) {
        // A link to a folder shows its pages.
        for (const below of pages) if (dirname(below) === name) visit(below);
      }
    }
  };
  for (const page of ['README.md', 'CHANGELOG.md']) if (texts.has(page)) visit(page);
  for (const page of pages.filter((name) => !reached.has(name))) {
    problems.push(`${page}: no link from README.md leads here`);
    visit(page);
  }
  return problems;
}

function linksOf(text) {
  return proseLines(text).flatMap(({ prose, line }) =>
    [
      ...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)/g),
      ...prose.matchAll(/^\s{0,3}\[[^\]^]+\]:\s*<?(\S+?)>?\s*$/g),
      ...prose.matchAll(/<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g),
    ].map(([, target]) => ({ target, line })),
  );
}

/** GitHub's ids of a page's headings. */
function anchorsOf(text) {
  const anchors = new Set();
  const seen = new Map();
  for (const { heading, prose } of proseLines(text)) {
    for (const [, id] of prose.matchAll(/<a\s[^>]*(?:id|name)="([^"]+)"/g)) anchors.add(id);
    if (heading === undefined) continue;
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
}

/** The lines outside code fences and comments, without inline code; headings keep theirs in `heading`. */
function proseLines(text) {
  const lines = [];
  let fence;
  let comment = false;
  text.split('\n').forEach((raw, index) => {
    const ticks = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
    if (fence) {
      if (ticks?.startsWith(fence)) fence = undefined;
      return;
    }
    if (ticks) {
      fence = ticks;
      return;
    }
    if (comment || /^\s*<!--/.test(raw)) {
      comment = !raw.includes('-->');
      return;
    }
    lines.push({
      line: index + 1,
      prose: raw.replaceAll(/`[^`]*`/g, ''),
      heading: /^#{1,6}\s+(.*?)\s*#*$/.exec(raw)?.[1],
    });
  });
  return lines;
}
