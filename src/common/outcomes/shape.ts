import { CODE } from '../shape.js';

/** The options of `OutcomeOptions`. */
export const outcomes = { ignore: CODE, skip: CODE, on: CODE };

/** The options of `ResultOutcomeOptions`. */
export const resultOutcomes = { ...outcomes, onResult: CODE };
