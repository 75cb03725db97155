import { constant } from '../../src/index.js';

/** Answers the requests of `fetch` until the tests restore it. */
export function answerFetch(answer: (url: URL, init: RequestInit) => Response): jest.SpyInstance {
  return jest
    .spyOn(globalThis, 'fetch')
    .mockImplementation(async (url, init = {}) => answer(new URL(url as string), init));
}

/** Options of an application whose retries come at once. */
export const atOnce = { defaults: { retry: { backoff: constant(0) } } };
