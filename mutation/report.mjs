// The score of each folder, and survivors without a reason.
import { dirname } from 'node:path';
import { fromRoot, readJson } from '../scripts/tools.mjs';
import { survived } from './results.mjs';

/** The score of each folder, in percent. */
const WANTED = 90;

const MARKS = ['<!-- scores: begin -->', '<!-- scores: end -->'];

/**
 * Judges results by mutation/survivors.json: `{ file: [{ code, changes, reason }] }`.
 *
 * @param missing files whose current content has not been tried
 */
export function judge(results, missing) {
  const reasons = readJson(fromRoot('mutation', 'survivors.json'));
  const folders = new Map();
  const unexplained = [];
  const stale = [];
  const broken = [];
  for (const [file, { date, mutants }] of results) {
    const row = folders.get(dirname(file)) ?? { ...EMPTY, date };
    folders.set(dirname(file), row);
    if (date < row.date) row.date = date;
    const unused = new Set(
      (reasons[file] ?? []).flatMap(({ code, changes }) => changes.map((c) => `${code}\n${c}`)),
    );
    const explained = new Set(unused);
    for (const mutant of mutants) {
      const { status, code, change, start } = mutant;
      const key = `${code}\n${change}`;
      if (status === 'Ignored') continue;
      row.mutants++;
      if (status === 'Killed') row.killed++;
      else if (status === 'Timeout') row.timeouts++;
      else if (!survived(mutant)) broken.push(`${file}:${start.line}  ${change}`);
      else {
        row.survived++;
        unused.delete(key);
        if (explained.has(key)) row.explained++;
        else unexplained.push({ file, line: start.line, code, change });
      }
    }
    for (const key of unused) stale.push(`${file}  ${key.replace('\n', '  ')}`);
  }
  const rows = [...folders].sort(([a], [b]) => (a < b ? -1 : 1));
  const low = rows.filter(([, row]) => scoreOf(row) < WANTED).map(([folder]) => folder);
  const ok = [unexplained, stale, broken, low, missing].every(({ length }) => length === 0);
  return { rows, unexplained, stale, broken, low, missing, ok };
}

const EMPTY = { mutants: 0, killed: 0, timeouts: 0, survived: 0, explained: 0 };

const scoreOf = ({ killed, timeouts, survived }) =>
  (100 * (killed + timeouts)) / (killed + timeouts + survived);

export function report({ rows, unexplained, stale, broken, low, missing }) {
  const parts = [tableOf(rows)];
  if (unexplained.length) {
    parts.push(`${unexplained.length} survivors without a reason in mutation/survivors.json:`);
    for (const { file, line, code, change } of unexplained) {
      parts.push(`${file}:${line}\n  ${code}\n  ${change}`);
    }
  }
  if (stale.length) parts.push(`Reasons for mutants that no longer survive:\n${stale.join('\n')}`);
  if (broken.length) parts.push(`Could not be judged:\n${broken.join('\n')}`);
  if (missing.length) parts.push(`Not tried with their current content: ${missing.join(', ')}`);
  if (low.length) parts.push(`Below ${WANTED} %: ${low.join(', ')}`);
  return parts.join('\n\n');
}

/** The docs page with these scores. */
export function withScores(page, { rows }) {
  const [begin, end] = MARKS;
  const [before, rest] = page.split(begin);
  return `${before}${begin}\n\n${tableOf(rows)}\n\n${end}${rest.split(end)[1]}`;
}

function tableOf(rows) {
  const heads = ['folder', 'mutants', 'killed', 'timeouts', 'survived', 'reasons', 'score', 'date'];
  const total = { ...EMPTY };
  for (const [, row] of rows) for (const key of Object.keys(EMPTY)) total[key] += row[key];
  const cells = ([folder, { mutants, killed, timeouts, survived, explained, date }]) => {
    const score = `${scoreOf({ killed, timeouts, survived }).toFixed(1)} %`;
    return [folder, mutants, killed, timeouts, survived, explained, score, date ?? ''].map(String);
  };
  const lines = [...rows.map(([folder, row]) => [`\`${folder}\``, row]), ['all', total]].map(cells);
  const widths = heads.map((head, i) =>
    Math.max(...[head, ...lines.map((l) => l[i])].map((c) => c.length)),
  );
  const isText = (i) => i === 0 || i === heads.length - 1;
  const pad = (cell, i) => (isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const rule = widths.map((n, i) => (isText(i) ? '-'.repeat(n) : `${'-'.repeat(n - 1)}:`));
  return [heads.map(pad), rule, ...lines.map((line) => line.map(pad))]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
}
