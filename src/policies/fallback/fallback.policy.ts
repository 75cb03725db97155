import type { Policy } from '../policy.js';
import { askDefinition } from './command-fallback.js';
import { FallbackStage } from './fallback-stage.js';
import {
  type FallbackOptions,
  type FallbackSettings,
  type GivenFallback,
  readFallbackOptions,
  toFallbackOptions,
} from './options.js';
import { fallbackShape } from './shape.js';

const KIND = 'fallback';

export const fallbackPolicy: Policy<typeof KIND, FallbackOptions, FallbackSettings, GivenFallback> =
  {
    kind: KIND,
    label: '@Fallback',
    shape: fallbackShape,
    boundToSubject: true,
    hiddenOptions: ['handler'],
    normalize: toFallbackOptions,
    read: readFallbackOptions,
    // Results are stored under the subject's name, so no two subjects may have the same one.
    part: ({ choices, maxConcurrent }) =>
      choices.some(({ answer }) => answer.storesResults)
        ? { name: undefined, private: true, settings: undefined, shape: { maxConcurrent } }
        : undefined,
    stages: (settings, site) => ({ fallback: () => new FallbackStage(settings, site) }),
    askDefinition,
    checkDefinedAgain: ({ choices }, many) =>
      choices.some(({ answer }) => answer.needsKey)
        ? `staleIfError needs a key: ${many}. Without one, a caller could get another definition's data`
        : undefined,
    snapshot: ({ maxConcurrent }) => ({
      maxConcurrentFallbacks: maxConcurrent === Infinity ? undefined : maxConcurrent,
    }),
  };
