// Results per mutant, kept between runs in mutation/reports/results.json, which is not committed.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fromRoot, readJson } from '../scripts/tools.mjs';

const FILE = fromRoot('mutation', 'reports', 'results.json');

export const survived = ({ status }) => status === 'Survived' || status === 'NoCoverage';

const isFound = ({ status }) => status === 'Killed' || status === 'Timeout';

const hashOf = (source) => createHash('sha256').update(source).digest('hex');

/** With the end: of two mutants that begin at the same place, one may be a part of the other. */
const idOf = ({ mutator, start, end, replacement }) =>
  `${start.line}:${start.column}-${end.line}:${end.column} ${mutator} ${replacement}`;

export class Results {
  #files = existsSync(FILE) ? readJson(FILE) : {};

  /** Takes over Stryker's report: of all files of the targets, or only of some of their mutants. */
  take(path, targets, { whole }) {
    const date = new Date().toISOString().slice(0, 10);
    for (const [file, { source, mutants }] of Object.entries(readJson(path).files)) {
      const hash = hashOf(source);
      const found = mutants.map((mutant) => resultOf(mutant, source.split('\n')));
      const before = this.#files[file];
      if (whole) {
        this.#files[file] = { hash, date, mutants: found };
      } else if (before?.hash === hash) {
        const news = new Map(found.map((mutant) => [idOf(mutant), mutant]));
        // A mutant found once may have been out of reach this time.
        before.mutants = before.mutants.map((mutant) =>
          isFound(mutant) ? mutant : (news.get(idOf(mutant)) ?? mutant),
        );
        before.date = date;
      }
    }
    if (whole) {
      // Files without anything to change are not in the report.
      for (const file of this.missing(targets)) {
        this.#files[file] = { hash: hashOf(readFileSync(file, 'utf8')), date, mutants: [] };
      }
    }
    writeFileSync(FILE, JSON.stringify(this.#files));
  }

  /** The results of files that have not changed since: `[file, { date, mutants }]`. */
  of(targets) {
    return Object.entries(this.#files)
      .filter(([file]) => targets.some((path) => file === path || file.startsWith(`${path}/`)))
      .filter(([file, { hash }]) => existsSync(file) && hashOf(readFileSync(file, 'utf8')) === hash)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The files without results for their current content. */
  missing(targets) {
    const known = new Set(this.of(targets).map(([file]) => file));
    return sourcesOf(targets).filter((file) => !known.has(file));
  }

  /** The places of survivors, in Stryker's notation. */
  survivors(targets) {
    return this.of(targets).flatMap(([file, { mutants }]) =>
      mutants
        .filter((mutant) => !isFound(mutant))
        .map(({ start, end }) => `${file}:${place(start)}-${place(end)}`),
    );
  }
}

/** The source files of some folders and files. */
export function sourcesOf(targets) {
  return targets
    .flatMap((path) =>
      path.endsWith('.ts')
        ? [path]
        : readdirSync(path, { recursive: true }).map(
            (file) => `${path}/${file.replaceAll('\\', '/')}`,
          ),
    )
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
}

const place = ({ line, column }) => `${line}:${column - 1}`;

/** The part of a mutant that outlives other changes of its file: the text of its first line, and the change. */
function resultOf({ location: { start, end }, mutatorName, replacement, status }, lines) {
  const code = lines[start.line - 1].trim();
  const change = `${onOneLine(textOf(lines, start, end))} → ${onOneLine(replacement)}`;
  return { mutator: mutatorName, start, end, replacement, status, code, change };
}

function textOf(lines, start, end) {
  const text = lines.slice(start.line - 1, end.line);
  text[text.length - 1] = text.at(-1).slice(0, end.column - 1);
  text[0] = text[0].slice(start.column - 1);
  return text.join('\n');
}

function onOneLine(text) {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
