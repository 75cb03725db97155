import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type ApiError, type Lists, breaker, search } from './api.js';
import type { Dependency } from './model.js';
import { authorization, reader } from './store.js';

/*
 * Parts by key that the stream has no room for: while the user searches, the server is asked for them.
 */

/** Waits for the end of typing. */
const PAUSE_MS = 300;
const AGAIN_MS = 5_000;

/** The list in the stream, and how many there are at the server. */
interface Told {
  readonly told: number;
  readonly total: number;
}

/** What the server finds, including parts that are in the stream; nothing while the stream has all parts. */
export function useSearch<List extends keyof Lists, Shown>(
  list: List,
  text: string,
  { told, total }: Told,
  show: (item: Lists[List]) => Shown,
): readonly Shown[] {
  const found = useSignal<readonly Shown[]>([]);
  const wanted = text !== '' && total > told;
  useEffect(() => {
    if (!wanted) return;
    const end = repeat(PAUSE_MS, async () => {
      const { items } = await search(list, text, authorization());
      return () => (found.value = items.map(show));
    });
    return () => {
      end();
      found.value = [];
    };
  }, [list, text, wanted]);
  return found.value;
}

/** A breaker that is not in the stream: `undefined` until the server has answered, `null` when there is none. */
export function useBreaker(name: string, wanted: boolean): Dependency | undefined | null {
  const found = useSignal<Dependency | undefined | null>(undefined);
  useEffect(() => {
    if (!wanted) return;
    return repeat(0, async () => {
      const answer = await breaker(name, authorization()).catch((error: ApiError) => {
        if (error.status === 404) return undefined;
        throw error;
      });
      return () => (found.value = answer === undefined ? null : reader.show(answer));
    });
  }, [name, wanted]);
  return found.value;
}

/** Asks after a pause, and then repeatedly; a missing answer is made up for by the next one. @returns ends it */
function repeat(pauseMs: number, ask: () => Promise<() => void>): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout>;
  const run = async (): Promise<void> => {
    try {
      const take = await ask();
      if (!over) take();
    } catch {
      // The connection says why.
    }
    if (!over) timer = setTimeout(() => void run(), AGAIN_MS);
  };
  timer = setTimeout(() => void run(), pauseMs);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** The items of the stream, and those of the server that are not among them. */
export function joined<Item extends { readonly name: string }>(
  told: readonly Item[],
  found: readonly Item[],
): readonly Item[] {
  if (found.length === 0) return told;
  const names = new Set(told.map(({ name }) => name));
  return [...told, ...found.filter(({ name }) => !names.has(name))];
}

/** `3 of 20 circuit breakers`, or `20 circuit breakers` when all are shown. */
export function shareOf(shown: number, total: number, many: (amount: number) => string): string {
  return shown === total ? many(total) : `${shown} of ${many(total)}`;
}
