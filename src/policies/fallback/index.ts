import type { OptionsReader } from '../../common/options-reader.js';
import { isResilienceError } from '../../common/errors.js';
import { Classifier, defaultOutcome, readOutcomeOptions } from '../../common/outcome.js';
import type { Policy, PolicySite } from '../policy.js';
import { readAnswer } from './answers.js';
import { type Choice, type FallbackSettings, FallbackStage } from './fallback-stage.js';
import type { FallbackChoice, FallbackOptions } from './options.js';

export const fallbackPolicy: Policy<'fallback', FallbackOptions, FallbackSettings> = {
  kind: 'fallback',
  label: '@Fallback',
  normalize: (given) => given as FallbackOptions,
  settle: settleFallback,
  stages: (settings, site) => ({ fallback: new FallbackStage(settings, site) }),
};

function settleFallback(read: OptionsReader<FallbackOptions>, site: PolicySite): FallbackSettings {
  const { on, skip } = readOutcomeOptions(read);
  return {
    choices: readChoices(read, site),
    classifier: new Classifier({ on: on ?? [], skip: skip ?? [] }, (error) =>
      isResilienceError(error) ? 'failure' : defaultOutcome(error),
    ),
  };
}

function readChoices(read: OptionsReader<FallbackOptions>, site: PolicySite): Choice[] {
  const handler = read.raw('handler');
  const given: readonly FallbackChoice[] = Array.isArray(handler)
    ? (handler as FallbackChoice[])
    : [{ handler: handler as FallbackChoice['handler'] }];
  if (given.length === 0) read.wrong('handler', handler, 'a list with at least one choice');
  return given.flatMap((choice, index) => {
    const list = read.inside<FallbackChoice>(`[${index}]`, choice);
    const on = Array.isArray(handler) ? list.functions('on') : undefined;
    const answer = readAnswer(choice.handler, read, site);
    return answer === undefined ? [] : [{ on, answer }];
  });
}
