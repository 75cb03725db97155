// The type cases of test/packaging/consumer/types: code that must compile, and code that must not.
//
//   // Compiles: a fallback that needs fewer arguments
//   // @ts-expect-error no such option: `attempts` 'attempts' does not exist in type 'RetryOptions'
//
// The second line is above the line of the error. After a title it says what the error points at, in backquotes, and gives
// a part of its message. Where compilers differ: `a` or `b`, and 'this' | 'that'. The repository's type check reads such
// lines as TypeScript does. Here they are disabled, so that each error shows and can be compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './tools.mjs';

const DIRECTIVE = '@ts-expect-error';
const EXPECTED = /^\s*\/\/ Refused [^`]*?: (`[^`]+`(?: or `[^`]+`)*) (.+)$/;
const ACCEPTED = /^\s*\/\/ Compiles: /;
const ERROR = /^(\S.*?)\((\d+),(\d+)\): error (TS\d+: .*)$/;

/** Makes a copy of the cases in a folder into one without directives, so that the compiler reports each error. */
export function exposeErrors(folder) {
  for (const file of filesBelow(folder)) {
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(DIRECTIVE, 'Refused'));
  }
}

/** How many cases there are of each kind, in a folder after {@link exposeErrors}. */
export function countCases(folder) {
  const lines = filesBelow(folder).flatMap((file) => linesOf(file));
  return {
    accepted: lines.filter((line) => ACCEPTED.test(line)).length,
    refused: lines.filter((line) => EXPECTED.test(line)).length,
  };
}

/**
 * Compares what a compiler printed (`--pretty false`) with the cases.
 *
 * @param output what it printed
 * @param root the folder that its paths start from
 * @param folder the folder of the cases, after {@link exposeErrors}
 * @returns the problems: an error that no case expects, or a case whose error is missing or different
 */
export function problemsOf(output, root, folder) {
  const errors = errorsIn(output, root);
  const problems = [];
  for (const file of filesBelow(folder)) {
    const lines = linesOf(file);
    lines.forEach((line, index) => {
      const at = `${file}:${index + 2}`;
      if (/^\s*\/\/ Refused/.test(line) && !EXPECTED.test(line)) {
        problems.push(`${at} the case does not say where its error is: ${line.trim()}`);
      }
      const [, marks, fragments] = EXPECTED.exec(line) ?? [];
      if (marks === undefined) return;
      const here = errors.filter((error) => error.file === file && error.line === index + 2);
      for (const error of here) error.expected = true;
      if (!here.some((error) => fits(error, lines[index + 1], marks, fragments))) {
        const found = here.map((error) => `column ${error.column}: ${error.message}`);
        problems.push(`${at} expected ${marks} ${fragments}, found ${found.join('\n') || 'none'}`);
      }
    });
  }
  const strange = errors.filter((error) => !error.expected);
  return [...problems, ...strange.map((error) => `${error.file}:${error.line} ${error.message}`)];
}

function fits({ column, message }, line, marks, fragments) {
  const pointsAt = line.slice(column - 1);
  return (
    [...marks.matchAll(/`([^`]+)`/g)].some(([, mark]) => pointsAt.startsWith(mark)) &&
    fragments.split(' | ').some((fragment) => message.includes(fragment))
  );
}

function errorsIn(output, root) {
  const errors = [];
  for (const line of output.split(/\r?\n/)) {
    const [, file, at, column, message] = ERROR.exec(line) ?? [];
    if (file !== undefined) {
      errors.push({ file: join(root, file), line: +at, column: +column, message });
    } else if (/^\s/.test(line) && errors.length > 0) errors.at(-1).message += `\n${line}`;
    else if (line.trim() !== '') {
      errors.push({ file: root, line: 0, column: 0, message: line });
    }
  }
  return errors;
}

function linesOf(file) {
  return readFileSync(file, 'utf8').split('\n');
}
