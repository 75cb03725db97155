export { type DelayOptions, delayWhenRejected } from './delay-when-rejected.js';
export { DelayWhenRejected, type ProcessDecorator } from './delay-when-rejected.decorator.js';
