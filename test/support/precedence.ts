import { Controller, Get, Injectable, type Type } from '@nestjs/common';
import { variableForm } from '../../src/execution/configuration/variable-names.js';
import type { LazyPlan } from '../../src/execution/lazy-plan.js';
import { RUNTIME, type Runtime } from '../../src/execution/runtime.js';
import {
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Overrides,
  type PolicyDescription,
  type ResilienceModuleOptions,
  UsePipeline,
  overridesFromEnv,
} from '../../src/index.js';
import { type Booted, type Parts, boot, closeAll } from './boot.js';
import { making } from './commands.js';

/** Options of a layer: one at the top, a nested one, and the switch. */
export interface Given {
  readonly minimumCalls?: number;
  readonly halfOpen?: { readonly maxCalls?: number; readonly successThreshold?: number };
  readonly enabled?: boolean;
}

/** All layers, the lowest first. */
export const allLayers = [
  'defaults',
  'extended configuration',
  'configuration',
  'pipeline',
  'own options',
  'override of all',
  'variables for all',
  'override of the pipeline',
  'variables for the pipeline',
  'override of the group',
  'variables for the group',
  'override of the subject',
  'variables for the subject',
] as const;

export type Layer = (typeof allLayers)[number];

export type GivenByLayer = { readonly [L in Layer]?: Given };

/** Something with a circuit breaker, to which options come from layers. */
export interface SubjectCase {
  readonly layers: readonly Layer[];
  /** Its name in overrides. */
  readonly name: string;
  /** The name of its class or its object. */
  readonly group?: string;
  /** Overrides for others. */
  readonly others?: Overrides;
  /** An application that has it. @param own its own options */
  parts(own: CircuitBreakerOptions): Parts;
  /** The policies of a method; of the others by default. */
  readonly type?: () => Type;
}

const PIPELINE = 'mail';

/** Options that must not matter. */
const noise = { minimumCalls: 999, halfOpen: { maxCalls: 99, successThreshold: 98 } } as const;

/** The options of the breaker in force; `undefined` when it is switched off. */
export async function inForce(subject: SubjectCase, given: GivenByLayer): Promise<unknown> {
  const own = { config: 'shelf', ...given['own options'] };
  const booted = await boot({ ...subject.parts(own), resilience: optionsOf(subject, given) });
  const policies = policiesOf(subject, booted);
  await closeAll();
  return policies.find(({ kind }) => kind === 'circuitBreaker')?.options;
}

function policiesOf(
  { name, type }: SubjectCase,
  { app, service }: Booted,
): readonly PolicyDescription[] {
  if (type !== undefined) return service.describe(type(), name.split('.')[1]!).policies;
  const { planner } = app.get<Runtime>(RUNTIME, { strict: false });
  const plans = Reflect.get(planner, 'lazyPlans') as readonly LazyPlan[];
  return plans.find(({ subject }) => subject.name === name)!.plan.description.policies;
}

function optionsOf(subject: SubjectCase, given: GivenByLayer): ResilienceModuleOptions {
  const { name, group, layers, others = {} } = subject;
  const breaker = (layer: Layer): object =>
    given[layer] === undefined ? {} : { circuitBreaker: given[layer] };
  const targets: [target: string, override: Layer, variables: Layer][] = [
    ['*', 'override of all', 'variables for all'],
    [PIPELINE, 'override of the pipeline', 'variables for the pipeline'],
    [group ?? '', 'override of the group', 'variables for the group'],
    [name, 'override of the subject', 'variables for the subject'],
  ];
  const used = targets.filter(([, override]) => layers.includes(override));
  // In the order that must not matter.
  const overrides = used.map(([target, layer]) => [target, breaker(layer)] as const).reverse();
  const variables = used.flatMap(([target, , layer]) => variablesOf(target, given[layer]));
  const needsBreaker = !layers.includes('own options');
  return {
    defaults: breaker('defaults'),
    configs: {
      shelf: { extends: 'base', ...breaker('configuration') },
      base: breaker('extended configuration'),
      mail: { circuitBreaker: noise },
    },
    pipelines: {
      [PIPELINE]: {
        timeout: '1s',
        ...(layers.includes('pipeline') && breaker('pipeline')),
        ...(needsBreaker && { circuitBreaker: { config: 'shelf', ...given.pipeline } }),
      },
    },
    overrides: [
      overridesFromEnv(Object.fromEntries(variables)),
      { ...others, ...Object.fromEntries(overrides) },
    ],
  };
}

function variablesOf(target: string, given: Given = {}): [string, string][] {
  const { minimumCalls, enabled, halfOpen: { maxCalls, successThreshold } = {} } = given;
  const values = {
    MINIMUM_CALLS: minimumCalls,
    HALF_OPEN__MAX_CALLS: maxCalls,
    HALF_OPEN__SUCCESS_THRESHOLD: successThreshold,
    ENABLED: enabled,
  };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => [
      `RESILIENCE__${variableForm(target)}__CIRCUIT_BREAKER__${option}`,
      String(value),
    ]);
}

const withoutPipeline = allLayers.filter((layer) => !layer.includes('pipeline'));
const withoutGroup = allLayers.filter((layer) => !layer.includes('group'));

/** A class `Shelf` with a method `books`, a new one for each application, since decorators stay. */
class ShelfCase implements SubjectCase {
  readonly name = 'Shelf.books';
  readonly group = 'Shelf';
  private made: Type = Object;
  readonly type = (): Type => this.made;

  constructor(
    readonly layers: readonly Layer[],
    private readonly make: (own: CircuitBreakerOptions) => Type,
    readonly others: Overrides = {},
    private readonly around: readonly Type[] = [],
  ) {}

  parts(own: CircuitBreakerOptions): Parts {
    this.made = this.make(own);
    const isController = Reflect.hasMetadata('path', this.made);
    return isController ? { controllers: [this.made] } : { providers: [this.made, ...this.around] };
  }
}

@Injectable()
class Other {
  @CircuitBreaker()
  async books(): Promise<void> {}
}

/** Of another class and of another method. */
const strangers = { Other: { circuitBreaker: noise }, 'Other.books': { circuitBreaker: noise } };

export const subjects: Readonly<Record<string, SubjectCase>> = {
  'a method': new ShelfCase(
    withoutPipeline,
    (own) => {
      @Injectable()
      class Shelf {
        @CircuitBreaker(own)
        async books(): Promise<void> {}
      }
      return Shelf;
    },
    strangers,
    [Other],
  ),
  'a method that uses a pipeline': new ShelfCase(allLayers, (own) => {
    @Injectable()
    class Shelf {
      @UsePipeline(PIPELINE)
      @CircuitBreaker(own)
      async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'a method of a decorated class': new ShelfCase(allLayers, (own) => {
    @UsePipeline(PIPELINE)
    @CircuitBreaker(own)
    @Injectable()
    class Shelf {
      async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'a decorated method of a decorated class': new ShelfCase(allLayers, (own) => {
    @UsePipeline(PIPELINE)
    @CircuitBreaker(noise)
    @Injectable()
    class Shelf {
      @CircuitBreaker(own)
      async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'an inherited method': new ShelfCase(allLayers, (own) => {
    class Parent {
      @UsePipeline(PIPELINE)
      @CircuitBreaker(own)
      async books(): Promise<void> {}
    }
    @CircuitBreaker(noise)
    @Injectable()
    class Shelf extends Parent {}
    return Shelf;
  }),
  'a method of a class whose parent is decorated': new ShelfCase(allLayers, (own) => {
    @UsePipeline(PIPELINE)
    @CircuitBreaker(own)
    class Parent {}
    @Injectable()
    class Shelf extends Parent {
      async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'a handler': new ShelfCase(allLayers, (own) => {
    @Controller('shelf')
    class Shelf {
      @UsePipeline(PIPELINE)
      @CircuitBreaker(own)
      @Get()
      async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'a static method': new ShelfCase(allLayers, (own) => {
    @Injectable()
    class Shelf {
      @UsePipeline(PIPELINE)
      @CircuitBreaker(own)
      static async books(): Promise<void> {}
    }
    return Shelf;
  }),
  'a command': {
    layers: withoutGroup,
    name: 'find-books',
    parts: (circuitBreaker) => ({
      providers: [
        making((service) =>
          service.command('find-books', { run: () => 1, pipeline: PIPELINE, circuitBreaker }),
        ),
      ],
    }),
  },
  'a pipeline of the module': {
    layers: withoutGroup.filter((layer) => layer !== 'own options' && !layer.includes('subject')),
    name: PIPELINE,
    parts: () => ({ providers: [making((service) => service.pipeline(PIPELINE))] }),
  },
  'a pipeline from code': {
    layers: withoutPipeline.filter((layer) => !layer.includes('group')),
    name: 'books',
    parts: (circuitBreaker) => ({
      providers: [making((service) => service.pipeline('books', { circuitBreaker }))],
    }),
  },
  'a method of a protected object': {
    layers: allLayers,
    name: 'sdk.getBooks',
    group: 'sdk',
    parts: (circuitBreaker) => ({
      providers: [
        making((service) =>
          service.protect(
            { getBooks: async (): Promise<void> => {} },
            {
              name: 'sdk',
              methods: { getBooks: { pipeline: PIPELINE, circuitBreaker } },
              '*': { circuitBreaker: noise },
            },
          ),
        ),
      ],
    }),
  },
  'the other methods of a protected object': {
    layers: withoutGroup,
    name: 'sdk',
    parts: (circuitBreaker) => ({
      providers: [
        making((service) =>
          service.protect(
            { getBooks: async (): Promise<void> => {} },
            { name: 'sdk', '*': { pipeline: PIPELINE, circuitBreaker } },
          ),
        ),
      ],
    }),
  },
  'a client of fetch': {
    layers: withoutPipeline.filter((layer) => !layer.includes('group')),
    name: 'books',
    parts: (circuitBreaker) => ({
      providers: [making((service) => service.createFetch({ name: 'books', circuitBreaker }))],
    }),
  },
};
