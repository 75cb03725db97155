import { shared } from '../common/brand.js';

interface SubstituteCall {
  self: unknown;
  key: string | symbol | undefined;
}

/** The fallback method that is being called, until its wrapper has seen the call. */
const announced = shared<SubstituteCall>('substitute-call', () => ({
  self: undefined,
  key: undefined,
}));

/** Calls a method of `self` as another one's fallback: with its own policies, without those of the class. */
export function callAsSubstitute(self: unknown, key: string, args: readonly unknown[]): unknown {
  const { self: outerSelf, key: outerKey } = announced;
  announced.self = self;
  announced.key = key;
  try {
    return (self as Record<string, (...args: unknown[]) => unknown>)[key]!(...args);
  } finally {
    announced.self = outerSelf;
    announced.key = outerKey;
  }
}

/** Whether this call of a method is the announced one. True only once: further calls are ordinary ones. */
export function takeSubstituteCall(self: unknown, key: string | symbol): boolean {
  if (announced.key !== key || announced.self !== self) return false;
  announced.self = undefined;
  announced.key = undefined;
  return true;
}
