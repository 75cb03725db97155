import type { OptionsReader } from '../../common/options-reader.js';
import { isResilienceError } from '../../common/errors.js';
import { Classifier, isFailure, readOutcomeOptions } from '../../common/outcome.js';
import type { Policy, PolicySite } from '../policy.js';
import { readAnswer } from './answers.js';
import { type Choice, type FallbackSettings, FallbackStage } from './fallback-stage.js';
import {
  type FallbackChoice,
  type FallbackOptions,
  type GivenFallback,
  toFallbackOptions,
} from './options.js';

const KIND = 'fallback';

export const fallbackPolicy: Policy<typeof KIND, FallbackOptions, FallbackSettings, GivenFallback> =
  {
    kind: KIND,
    label: '@Fallback',
    normalize: toFallbackOptions,
    settle: settleFallback,
    // Results are kept under the site's name, which must not mean two things.
    part: ({ choices, maxConcurrent }) =>
      choices.some(({ answer }) => answer.keeps)
        ? { name: undefined, private: true, settings: undefined, shape: { maxConcurrent } }
        : undefined,
    stages: (settings, site) => ({ fallback: () => new FallbackStage(settings, site) }),
  };

function settleFallback(read: OptionsReader<FallbackOptions>, site: PolicySite): FallbackSettings {
  if (site.method?.sendsResponse) {
    read.contradiction(
      'the handler sends its response itself (@Res() or @Next()), so an answer in its place would never be sent; use @Res({ passthrough: true })',
    );
  }
  const { on = [isFailure, isResilienceError], ...others } = readOutcomeOptions(read);
  const choices = readChoices(read, site);
  const chosen = choices.flatMap((choice) => choice.on ?? []);
  return {
    choices,
    maxConcurrent: read.integer('maxConcurrent', { min: 1 }) ?? Infinity,
    classifier: new Classifier({ ...others, on: [...on, ...chosen] }),
  };
}

function readChoices(read: OptionsReader<FallbackOptions>, site: PolicySite): Choice[] {
  const handler = read.raw('handler');
  if (!Array.isArray(handler)) {
    const answer = readAnswer(handler, read, site);
    return answer === undefined ? [] : [{ on: undefined, answer }];
  }
  if (handler.length === 0) read.wrong('handler', handler, 'a list with at least one choice');
  return handler.flatMap((choice: unknown, index) => {
    const key = `handler[${index}]`;
    if (typeof choice !== 'object' || choice === null) {
      return read.wrong(key, choice, '{ on: [ErrorClass], handler }') ?? [];
    }
    const each = read.inside<FallbackChoice>(key, choice as FallbackChoice);
    const on = each.functions('on');
    const answer = readAnswer(each.raw('handler'), each, site);
    each.done();
    return answer === undefined ? [] : [{ on, answer }];
  });
}
