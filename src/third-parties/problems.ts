import { nearest } from '../common/nearest.js';
import { isPlainObject } from '../common/objects.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { notOptions, show } from '../common/printable.js';
import { checkPipeline } from '../execution/module-options.js';
import type { ProtectOptions } from './options.js';
import { ALL_OTHERS, type Path, isObject, methodNamesOf, valueAt } from './paths.js';

type Checked = ProtectOptions<Record<string, unknown>>;

/** Options in the wrong form; those of the policies themselves are checked when their plans are made. */
export function problemsOfOptions(title: string, options: unknown): string[] {
  const problems = new Problems();
  if (!isPlainObject(options)) {
    problems.add(title, notOptions(options, { right: `{ name, methods, '*' }` }));
    return problems.all;
  }
  const read = new OptionsReader<Checked>(options as unknown as Checked, title, problems);
  if (read.text('name') === undefined && options.name === undefined) {
    read.wrong('name', undefined, 'a non-empty string');
  }
  const methods: unknown = read.raw('methods');
  const others: unknown = read.raw(ALL_OTHERS);
  if (methods === undefined && others === undefined) {
    read.contradiction(`protects nothing; give policies to methods, or to all with '*'`);
  }
  if (others !== undefined) checkPolicies(title, `'*'`, others, problems);
  if (methods !== undefined) {
    if (isPlainObject(methods)) {
      for (const path of Reflect.ownKeys(methods)) {
        const given = (methods as Record<Path, unknown>)[path];
        if (given === undefined) continue;
        if (path === ALL_OTHERS) read.wrong('methods', methods, `'*' beside methods, not in it`);
        else checkPolicies(title, `methods.${String(path)}`, given, problems);
      }
    } else read.wrong('methods', methods, 'an object with policies by method');
  }
  const members: unknown = read.raw('members');
  if (members !== undefined && !isListOfNames(members)) {
    read.wrong('members', members, 'a list of names');
  } else if (members !== undefined && others === undefined) {
    read.contradiction(`members has no effect without '*'`);
  }
  read.done();
  return problems.all;
}

function checkPolicies(title: string, path: string, given: unknown, problems: Problems): void {
  if (typeof given === 'string') {
    if (given === '') problems.add(title, `${path} is ''; use policies, or the name of a pipeline`);
    return;
  }
  if (!isPlainObject(given)) {
    const right = 'an object with options by policy, or the name of a pipeline';
    problems.add(title, `${path} is ${show(given)}; use ${right}`);
    return;
  }
  const { pipeline, ...set } = given;
  if (pipeline !== undefined && (typeof pipeline !== 'string' || pipeline === '')) {
    problems.add(title, `${path}.pipeline is ${show(pipeline)}; use the name of one`);
  }
  checkPipeline(title, `${path}.`, set, problems);
}

function isListOfNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}

/** Methods and members that an object does not have. */
export function problemsOfObject(title: string, original: unknown, options: Checked): string[] {
  const problems = new Problems();
  if (!isObject(original)) {
    problems.add(title, `the object to protect is ${show(original)}; use an object`);
    return problems.all;
  }
  const { methods, members } = options;
  for (const path of isPlainObject(methods) ? Reflect.ownKeys(methods) : []) {
    const value = valueAt(original, path);
    if (typeof value === 'function' || path === ALL_OTHERS) continue;
    const where = `methods.${String(path)}`;
    if (value === undefined) {
      problems.add(title, `${where}: the object has no such method${hint(original, path)}`);
    } else problems.add(title, `${where}: that is ${show(value)}, not a method`);
  }
  for (const path of isListOfNames(members) ? members : []) {
    const value = valueAt(original, path);
    if (isObject(value)) continue;
    problems.add(
      title,
      `members has ${show(path)}, which is ${show(value)}; use the path of an object`,
    );
  }
  return problems.all;
}

function hint(original: object, path: Path): string {
  const names = typeof path === 'string' ? path.split('.') : [];
  const last = names.pop();
  if (last === undefined) return '';
  const parent = names.length === 0 ? original : valueAt(original, names.join('.'));
  const near = nearest(last, methodNamesOf(parent));
  return near === undefined ? '' : `; did you mean ${[...names, near].join('.')}?`;
}
