/**
 * Maps an error to the one that the reader of a stream gets.
 *
 * @param midway whether it is the error of an iterator that was handed over after its first item
 */
export type ErrorMapper = (error: unknown, midway: boolean) => unknown;
