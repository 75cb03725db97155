import type { Type } from '@nestjs/common';
import type { OptionsReader } from '../../common/options-reader.js';
import { isClass } from '../../common/outcomes/error-matcher.js';
import type { Call, Substitute } from '../../pipeline/call.js';
import { methodOf } from '../key.js';
import type { PolicySite } from '../policy.js';
import type { Answer } from './answer.js';
import {
  type FallbackFunction,
  type FallbackHandler,
  type GivenHandler,
  isHandlerClass,
  isValue,
} from './handler.js';
import { handlerLabel } from './handler-label.js';
import { staleAnswer } from './stale-answer.js';
import { isStale } from './stale-if-error.js';

type Reader = OptionsReader<{ readonly handler?: GivenHandler }>;

/** Checks a handler and makes its {@link Answer}; `undefined` when the handler is wrong (reported). */
export function readAnswer(handler: unknown, read: Reader, site: PolicySite): Answer | undefined {
  if (typeof handler === 'string') return methodAnswer(handler, read, site);
  if (isHandlerClass(handler)) return classAnswer(handler, read, site);
  if (typeof handler === 'function' && !isClass(handler)) {
    return functionAnswer(handler as FallbackFunction);
  }
  if (typeof handler === 'object' && handler !== null) {
    if (isValue(handler)) {
      read.only('handler', handler, ['kind', 'value']);
      return valueAnswer(handler.value);
    }
    if (isStale(handler)) {
      read.only('handler', handler, ['kind', 'options']);
      return staleAnswer(handler.options, read, site);
    }
  }
  return read.wrong(
    'handler',
    handler,
    `a method's name, a function, a class with handle(), fallbackValue(x) or staleIfError({ ttl })`,
  );
}

function methodAnswer(name: string, read: Reader, site: PolicySite): Answer | undefined {
  const { method } = site;
  if (method === undefined) {
    return read.wrong('handler', name, 'a function; a method name works only on decorated methods');
  }
  if (methodOf(method.target, name) === undefined) {
    return read.wrong('handler', name, `the name of a method of ${method.owner.name}`);
  }
  if (name === method.name) {
    return read.wrong('handler', name, 'a method other than the one it answers for');
  }
  if (leadsTo(method.name, name, site)) {
    return read.wrong(
      'handler',
      name,
      'a method whose own fallback does not lead back to this one',
    );
  }
  return {
    label: name,
    answer: (call, context) =>
      substitute(call, (self, given) => {
        // The context comes after the parameters of the protected method, given or not.
        const args: unknown[] = Array.from(given);
        while (args.length < method.arity) args.push(undefined);
        return site.callAsSubstitute(self, name, [...args, context]);
      }),
  };
}

function substitute(call: Call, run: Substitute): unknown {
  return call.substitute(run, 'fallback');
}

/** Whether the chain of fallback methods that begins at `name` leads to `end`. */
function leadsTo(end: string, name: string, site: PolicySite): boolean {
  const seen = new Set<string>();
  let next: unknown = name;
  while (typeof next === 'string' && !seen.has(next)) {
    if (next === end) return true;
    seen.add(next);
    next = (site.optionsOf(next, 'fallback') as { handler?: unknown } | undefined)?.handler;
  }
  return false;
}

function valueAnswer(result: unknown): Answer {
  return { label: 'value', answer: (call) => substitute(call, () => result) };
}

function functionAnswer(handler: FallbackFunction): Answer {
  return {
    label: handlerLabel(handler),
    answer: (call, context) =>
      substitute(call, (self, args) => handler.call(self, context, ...(args as never[]))),
  };
}

function classAnswer(
  type: Type<FallbackHandler>,
  read: Reader,
  site: PolicySite,
): Answer | undefined {
  const find = (): FallbackHandler | undefined => site.resolve(type) as FallbackHandler | undefined;
  if (find() === undefined) {
    return read.wrong(
      'handler',
      type,
      'a class that a module of the application has as a singleton provider',
    );
  }
  return {
    label: handlerLabel(type),
    answer: (call, context) =>
      substitute(call, (_self, args) => find()!.handle(context, ...(args as never[]))),
  };
}
