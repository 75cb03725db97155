import { brand } from '../../common/brand.js';
import { isOptions, isPlainObject } from '../../common/objects.js';
import { legible } from '../../common/legible.js';
import { notOptions, show } from '../../common/printable.js';
import type { Overrides } from '../module-options.js';

/** Options of {@link overridesFromEnv}. */
export interface EnvironmentOptions {
  /** The beginning of the variables' names, before two underscores: letters, digits and underscores. Default `RESILIENCE`. */
  readonly prefix?: string;
}

const ENVIRONMENT = brand('environment');

const DEFAULT_PREFIX = 'RESILIENCE';

/** The variables of one call of {@link overridesFromEnv}, as data, so that any copy of the package can read them. */
export interface Environment {
  readonly [ENVIRONMENT]: true;
  /** Without the underscores after it. */
  readonly prefix: string;
  readonly variables: readonly (readonly [name: string, text: string])[];
  /** The problem of the call itself. */
  readonly problem: string | undefined;
}

/**
 * Overrides from variables of the environment, such as `RESILIENCE__STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES=2` and
 * `RESILIENCE__ALL__RETRY__ENABLED=false`: prefix, target, policy and option, with two underscores between them. `ALL` is
 * `'*'`; names are compared without case and underscores. Values are typed by the option; empty ones count as not given.
 *
 * The variables are read when this is called, and matched with the application's classes, commands and pipelines when it
 * starts: one that matches nothing or two things is a problem then. For the same target, variables win over literal overrides.
 *
 * @param env the variables by name: `process.env`
 * @returns overrides, alone or in a list with others
 *
 * @example
 * ResilienceModule.forRoot({ overrides: [{ StorageClient: { timeout: '2s' } }, overridesFromEnv(process.env)] })
 */
export function overridesFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  options: EnvironmentOptions = {},
): Overrides {
  // A key of its own for each call, so that `{ ...one, ...other }` keeps both.
  return { [Symbol('variables')]: environmentOf(legible(env), legible(options)) };
}

/** The environments in overrides. */
export function environmentsIn(overrides: object): Environment[] {
  return Object.getOwnPropertySymbols(overrides)
    .map((key) => (overrides as Record<symbol, unknown>)[key])
    .filter(isEnvironment);
}

function isEnvironment(value: unknown): value is Environment {
  return isPlainObject(value) && (value as Partial<Environment>)[ENVIRONMENT] === true;
}

function environmentOf(env: unknown, options: unknown): Environment {
  const { prefix: given = DEFAULT_PREFIX, ...others } = isOptions(options) ? options : {};
  const prefix = typeof given === 'string' ? given.replace(/_+$/, '') : '';
  const none = { [ENVIRONMENT]: true, prefix, variables: [] } as const;
  const problem = (): string | undefined => {
    if (!isOptions(env)) {
      const right = 'process.env, or an object with texts by name';
      return notOptions(env, { what: 'the variables are', right });
    }
    if (!isOptions(options)) return notOptions(options, { right: '{ prefix }' });
    if (!/^\w+$/.test(prefix)) {
      return `prefix is ${show(given)}; use letters, digits and underscores, such as 'BOOKS_RESILIENCE'`;
    }
    const unknown = Object.keys(others).map(show).join(', ');
    return unknown === '' ? undefined : `the only option is prefix, not ${unknown}`;
  };
  const found = problem();
  if (found !== undefined) return { ...none, problem: found };
  const beginning = `${prefix}__`.toLowerCase();
  const variables = Object.entries(env as object)
    .filter(([name]) => name.toLowerCase().startsWith(beginning))
    .map(([name, value]) => [name, textOf(value)] as const)
    .filter(([, text]) => text !== '');
  return { ...none, variables, problem: undefined };
}

/** Whitespace around a value is left out: it comes from files and templates. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value.trim() : show(value);
}
