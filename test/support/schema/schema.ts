import { isDeepStrictEqual } from 'node:util';
import {
  type NumberShape,
  type ObjectShape,
  type Shape,
  TEXT,
  TIME,
  type TaggedShape,
} from '../../../src/common/shape.js';
import type { FleetOptions } from '../../../src/fleet/options.js';
import { policies, stageOrder } from '../../../src/policies/canonical-order.js';
import type { PolicyShape } from '../../../src/policies/policy.js';
import { Comments } from './comments.js';

/** A JSON schema, draft 7. */
export type Schema = Readonly<Record<string, unknown>>;

/** Only pipelines can name a configuration. */
const CONFIG = 'config';

const DURATION = String.raw`\d+(\.\d+)?(ms|s|m|h)`;
const ZERO = String.raw`0+(\.0+)?(ms|s|m|h)`;

/** The schema of the options of `forRoot()` that a file can have, from the shapes and the comments of the options. */
export function configurationSchema(): Schema {
  return new Generator().generate();
}

class Generator {
  private readonly comments = new Comments();
  /** Schemas that are used more than once. */
  private readonly shared: Record<string, Schema> = {};

  generate(): Schema {
    return {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'nest-resilience',
      description:
        'Options of ResilienceModule.forRoot(). A duration is a number of milliseconds, or a text such as "500ms", "2s", "1.5m", "1h".',
      ...closed({
        $schema: {
          description: 'The place of this schema, for editors.',
          type: 'string',
          minLength: 1,
        },
        defaults: {
          description: this.comments.ofMember('ResilienceModuleOptions', 'defaults'),
          allOf: [reference('policies')],
        },
        configs: this.group('configs', 'configuration'),
        pipelines: this.group('pipelines', 'pipeline'),
        overrides: this.overrides(),
        logging: this.logging(),
        fleet: this.fleet(),
      }),
      definitions: this.definitions(),
    };
  }

  /** An object, or a list of them. */
  private overrides(): Schema {
    const { description, ...one } = this.group('overrides', 'policies');
    return { description, anyOf: [one, { type: 'array', items: one }] };
  }

  private group(name: string, definition: string): Schema {
    return {
      description: this.comments.ofMember('ResilienceModuleOptions', name),
      type: 'object',
      propertyNames: { minLength: 1 },
      additionalProperties: reference(definition),
    };
  }

  private fleet(): Schema {
    const time = this.of(TIME);
    const text = this.of(TEXT);
    const members: Record<keyof FleetOptions, Schema> = {
      instanceId: text,
      version: text,
      pollInterval: time,
      activePollInterval: time,
      callTimeout: time,
      backgroundTimeout: time,
    };
    const described = Object.entries(members).map(([name, type]) => {
      const unit = type === time ? ' A number is milliseconds.' : '';
      const description = `${this.comments.ofMember('FleetOptions', name)}${unit}`;
      return [name, { description, ...type }] as const;
    });
    return {
      description: this.comments.ofMember('ResilienceModuleOptions', 'fleet'),
      ...closed(Object.fromEntries(described)),
    };
  }

  private logging(): Schema {
    const member = (name: string, type: Schema): Schema => ({
      description: this.comments.ofMember('LogOptions', name),
      ...type,
    });
    return {
      description: this.comments.ofMember('ResilienceModuleOptions', 'logging'),
      anyOf: [
        { const: false },
        closed({
          maxEventsPerSecond: member('maxEventsPerSecond', { type: 'integer', minimum: 1 }),
          maxRejectionsPerSecond: member('maxRejectionsPerSecond', { type: 'integer', minimum: 0 }),
          fields: member('fields', { type: 'boolean' }),
        }),
      ],
    };
  }

  private definitions(): Record<string, Schema> {
    const shapes = [...policies].flatMap(([kind, { shape }]) =>
      shape === undefined ? [] : [[kind, shape] as const],
    );
    const all: Record<string, Schema> = {};
    const own: Record<string, Schema> = {};
    const inPipelines: Record<string, Schema> = {};
    for (const [kind, shape] of shapes) {
      const { [CONFIG]: config, ...members } = shape.options.members;
      all[kind] = this.policy({ ...shape, options: { ...shape.options, members } });
      own[kind] = inPipelines[kind] = reference(kind);
      if (config === undefined) continue;
      all[`${kind}InPipeline`] = this.policy(shape);
      inPipelines[kind] = reference(`${kind}InPipeline`);
    }
    return {
      policies: { description: this.comments.ofType('PolicyDefaults'), ...closed(own) },
      configuration: {
        description: this.comments.ofType('NamedConfiguration'),
        ...closed({
          extends: {
            description: this.comments.ofMember('NamedConfiguration', 'extends'),
            type: 'string',
            minLength: 1,
          },
          ...own,
        }),
      },
      pipeline: {
        description: this.comments.ofType('PipelineOptions'),
        ...closed({
          order: {
            description: this.comments.ofMember('PipelineOptions', 'order'),
            type: 'array',
            items: { enum: stageOrder },
            uniqueItems: true,
          },
          ...inPipelines,
        }),
      },
      ...all,
      ...this.shared,
    };
  }

  private policy({ options, short }: PolicyShape): Schema {
    const description = this.comments.ofType(options.type);
    const whole = this.object(options);
    return short === undefined
      ? { description, ...whole }
      : { description, anyOf: [...alternatives(this.of(short)), whole] };
  }

  private of(shape: Shape): Schema {
    switch (shape.is) {
      case 'boolean':
        return { type: 'boolean' };
      case 'text':
        return { type: 'string', minLength: 1 };
      case 'integer':
      case 'number':
        return { type: shape.is, ...range(shape) };
      case 'duration':
        return { type: ['number', 'string'], ...range(shape), pattern: pattern(shape) };
      case 'word':
        return { enum: shape.words };
      case 'anything':
        return {};
      case 'list':
        return { type: 'array', minItems: 1, items: this.of(shape.of) };
      case 'either':
        return { anyOf: shape.of.flatMap((each) => alternatives(this.of(each))) };
      case 'object':
        return this.object(shape);
      case 'tagged':
        return this.tagged(shape);
      case 'code':
        throw new Error('functions have no place in a file');
    }
  }

  private object({ type, members, required = [] }: ObjectShape): Schema {
    const properties: Record<string, Schema> = {};
    for (const [name, shape] of Object.entries(members)) {
      if (shape.is === 'code') continue;
      const comment = this.memberComment(type, name);
      const description = `${comment}${unitOf(shape)}`;
      properties[name] = { description, ...defaultIn(comment), ...inPlace(this.of(shape)) };
    }
    return closed(properties, required);
  }

  private memberComment(type: string, name: string): string {
    if (type === 'ConstantOptions' && name === 'delay') return 'The delay.';
    return this.comments.ofMember(type, name);
  }

  private tagged({ type, kinds }: TaggedShape): Schema {
    const description = this.comments.ofType(type);
    const all = Object.entries(kinds).map(([kind, options]) =>
      closed({ kind: { const: kind }, options: this.object(options) }, ['kind', 'options']),
    );
    return this.share(type, { description, ...(all.length === 1 ? all[0]! : { anyOf: all }) });
  }

  /** A reference to a schema, which gets the name of its type, with a number if there are others of that name. */
  private share(type: string, schema: Schema, count = 1): Schema {
    const name = `${type[0]!.toLowerCase()}${type.slice(1)}${count === 1 ? '' : count}`;
    if (!isDeepStrictEqual((this.shared[name] ??= schema), schema)) {
      return this.share(type, schema, count + 1);
    }
    return reference(name);
  }
}

function reference(definition: string): Schema {
  return { $ref: `#/definitions/${definition}` };
}

/** Beside a reference, nothing else counts. */
function inPlace(schema: Schema): Schema {
  return '$ref' in schema ? { allOf: [schema] } : schema;
}

function closed(properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function alternatives(schema: Schema): readonly Schema[] {
  const { anyOf, ...others } = schema;
  return anyOf !== undefined && Object.keys(others).length === 0
    ? (anyOf as readonly Schema[])
    : [schema];
}

function range({ min = 0, max, above }: NumberShape): Schema {
  return {
    ...(above === undefined ? { minimum: min } : { exclusiveMinimum: above }),
    ...(max !== undefined && { maximum: max }),
  };
}

function pattern({ above }: NumberShape): string {
  return above === 0 ? `^(?!${ZERO}$)${DURATION}$` : `^${DURATION}$`;
}

/** The unit of a duration's number. */
function unitOf(shape: Shape): string {
  const shapes = shape.is === 'either' ? shape.of : [shape];
  return shapes.some(({ is }) => is === 'duration') ? ' A number is milliseconds.' : '';
}

/** The default that a comment gives, if it is always the same. */
function defaultIn(comment: string): { default?: unknown } {
  const found =
    /(?:^| )Default:? `?'?(true|false|[a-z]+(?=')|[\d.]*\d)'?`?(?: (ms|s|min))?(?=[.:;,])/.exec(
      comment,
    );
  if (found === null) return {};
  const [, value, unit] = found as unknown as [string, string, string | undefined];
  if (unit !== undefined) return { default: `${value}${unit === 'min' ? 'm' : unit}` };
  if (value === 'true' || value === 'false') return { default: value === 'true' };
  return { default: /^\d/.test(value) ? Number(value) : value };
}
