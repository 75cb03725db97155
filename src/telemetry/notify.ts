import { quietly } from '../common/quietly.js';

/** Calls a user's listener so that nothing it does (throwing, an async function that rejects) reaches the caller. */
export function notify<T>(
  listener: (value: T) => unknown,
  value: T,
  onError: (error: unknown) => void,
): void {
  const report = (error: unknown): void => quietly(() => onError(error));
  try {
    const result = listener(value) as Partial<PromiseLike<unknown>> | undefined | null;
    result?.then?.(undefined, report);
  } catch (error) {
    report(error);
  }
}
