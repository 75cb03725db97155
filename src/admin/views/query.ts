import { AdminError } from '../admin-error.js';

/** Items on a page, if the query does not say. */
const USUAL = 100;
/** So that the JSON of a page is made in a few milliseconds. */
const MOST = 200;

const STATES = ['closed', 'open', 'half-open', 'forced-open', 'disabled', 'observe-only'] as const;
export type StateFilter = (typeof STATES)[number];

/** The selection and order of a list. */
export interface Query {
  readonly offset: number;
  readonly limit: number;
  /** In lower case. */
  readonly search: string | undefined;
  readonly group: string | undefined;
  readonly keys: boolean;
  readonly state: StateFilter | undefined;
}

/** The raw query of a URL, so that it does not depend on how the application parses queries. */
export function parametersOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

/** @throws {AdminError} when something is wrong */
export function queryOf(url: string): Query {
  const parameters = parametersOf(url);
  return {
    offset: integerOf(parameters, 'offset', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    limit: integerOf(parameters, 'limit', 1, MOST) ?? USUAL,
    search: parameters.get('search')?.toLowerCase() || undefined,
    group: parameters.get('group') ?? undefined,
    keys: oneOf(parameters, 'keys', ['true', 'false']) !== 'false',
    state: oneOf(parameters, 'state', STATES),
  };
}

/** @throws {AdminError} when it is not a whole number in the range */
export function integerOf(
  parameters: URLSearchParams,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const given = parameters.get(name);
  if (given === null) return undefined;
  const value = /^\d{1,16}$/.test(given) ? Number(given) : NaN;
  if (value >= min && value <= max) return value;
  throw new AdminError(400, 'BAD_REQUEST', `${name}: use a whole number from ${min} to ${max}`);
}

function oneOf<Value extends string>(
  parameters: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const given = parameters.get(name);
  if (given === null) return undefined;
  const found = values.find((value) => value === given);
  if (found !== undefined) return found;
  throw new AdminError(400, 'BAD_REQUEST', `${name}: use one of ${values.join(', ')}`);
}

/** Whether a name is searched for. */
export function matches(name: string, { search }: Pick<Query, 'search'>): boolean {
  return search === undefined || name.toLowerCase().includes(search);
}

/** The page of a list, and the offset of the next one. */
export function pageOf<Item>(
  all: readonly Item[],
  { offset, limit }: Pick<Query, 'offset' | 'limit'>,
): { readonly page: readonly Item[]; readonly total: number; readonly next?: number } {
  const end = offset + limit;
  const rest = end < all.length ? { next: end } : {};
  return { page: all.slice(offset, end), total: all.length, ...rest };
}
