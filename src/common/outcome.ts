// The room of outcomes has moved to ./outcomes; this door is for those who still come this way.
export { Classifier } from './outcomes/classifier.js';
export { defaultOutcome, isFailure } from './outcomes/default-outcome.js';
export {
  distance,
  type ErrorClass,
  type ErrorMatcher,
  isClass,
  toPredicate,
} from './outcomes/error-matcher.js';
export {
  type Outcome,
  type OutcomeOptions,
  type OutcomeRule,
  readOutcomeOptions,
  type ResultOutcomeOptions,
} from './outcomes/outcome.js';
export { isStreamResult, StreamResult as OngoingResult } from './outcomes/stream-result.js';
