import type { Shape } from '../common/shape.js';
import type { PolicyShape } from './policy.js';

/** The right form of a policy's options, for messages: the shorthand, if it is a number or a name, or an object. */
export function rightForm(shape: PolicyShape | undefined, object: string): string {
  const short = shape?.short && FORMS[shape.short.is];
  return short === undefined ? object : `${short}, or ${object}`;
}

const FORMS: Partial<Record<Shape['is'], string>> = { integer: 'a whole number', text: 'a name' };
