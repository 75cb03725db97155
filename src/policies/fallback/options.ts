import { isResilienceError } from '../../common/errors.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import type { ErrorMatcher } from '../../common/outcomes/error-matcher.js';
import { type OutcomeOptions, readErrorOptions } from '../../common/outcomes/outcome.js';
import { isFailure } from '../../common/outcomes/default-outcome.js';
import type { PolicySite } from '../policy.js';
import type { Switchable } from '../switchable.js';
import type { Answer } from './answer.js';
import { readAnswer } from './answers.js';
import type { FallbackAnswer, FallbackChoice, GivenHandler } from './handler.js';

/**
 * Options of `@Fallback()`. Without `on`, it answers failures and our own rejections (an open circuit, …); with `on`, only
 * the errors listed there. `on: [isFailure, isResilienceError, …]` adds to the default.
 */
export interface FallbackOptions extends OutcomeOptions, Switchable {
  /** The handler that answers. Mandatory, here or in a lower layer of options. */
  readonly handler?: GivenHandler;
  /** How many fallbacks may run at a time; further calls keep their error. Default: no limit. */
  readonly maxConcurrent?: number;
}

/** A handler, or options. */
export type GivenFallback<Result = unknown> =
  FallbackAnswer<Result> | readonly FallbackChoice<Result>[] | FallbackOptions;

/** The options from the forms that commands and pipelines accept. */
export function toFallbackOptions(given: GivenFallback): FallbackOptions {
  const isOptions =
    typeof given === 'object' && given !== null && !Array.isArray(given) && !('kind' in given);
  return isOptions ? (given as FallbackOptions) : { handler: given as FallbackAnswer };
}

/** An answer and the errors that it is for; `on` is `undefined` for all errors. */
export interface Choice {
  readonly on: readonly ErrorMatcher[] | undefined;
  readonly answer: Answer;
}

export interface FallbackSettings {
  readonly choices: readonly Choice[];
  readonly classifier: Classifier;
  /** How many fallbacks may run at a time. */
  readonly maxConcurrent: number;
}

export function readFallbackOptions(
  read: OptionsReader<FallbackOptions>,
  site: PolicySite,
): FallbackSettings {
  if (site.method?.sendsResponse) {
    read.contradiction(
      'the handler sends its response itself (@Res(), @Next() or @GrpcStreamCall()), so an answer in its place would never be sent; use @Res({ passthrough: true }) or @GrpcStreamMethod()',
    );
  }
  const { on = [isFailure, isResilienceError], ...others } = readErrorOptions(read);
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
