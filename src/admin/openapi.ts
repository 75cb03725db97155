/*
 * The routes as @nestjs/swagger shows them. Its decorators write metadata under fixed keys; these are written here, so that the
 * package is not needed.
 */

interface Described {
  readonly summary: string;
  /** Names of parameters in the path. */
  readonly path?: readonly string[];
  /** Names of parameters in the query. */
  readonly query?: readonly string[];
  /** Whether the body is a change. */
  readonly change?: boolean;
  /** The type of the answer. Default `application/json`. */
  readonly type?: string;
}

const CHANGE = {
  type: 'object',
  required: ['reason'],
  properties: {
    by: { type: 'string', maxLength: 100, description: 'who; left out when the server knows' },
    reason: { type: 'string', maxLength: 500, description: 'why' },
    until: {
      oneOf: [{ type: 'string' }, { type: 'number' }],
      description:
        'when an override ends, or a change of all instances: a date, or a duration such as 30m',
    },
    options: {
      type: 'object',
      nullable: true,
      description: 'for configure: options of the circuit breaker; null reverts changes',
    },
    scope: {
      type: 'string',
      enum: ['local', 'shared'],
      description: 'for configure: whether this instance is changed, or all that share the store',
    },
  },
  additionalProperties: false,
};

/** Describes a route. */
export function Documented({ summary, path, query, change, type }: Described): MethodDecorator {
  return (_target, _key, descriptor) => {
    const method = descriptor.value as object;
    const define = (name: string, value: unknown): void =>
      Reflect.defineMetadata(`swagger/${name}`, value, method);
    define('apiOperation', { summary });
    define('apiParameters', [
      ...(path ?? []).map((name) => parameter(name, 'path', true)),
      ...(query ?? []).map((name) => parameter(name, 'query', false)),
      ...(change ? [{ in: 'body', type: String, required: true, schema: CHANGE }] : []),
    ]);
    if (change) define('apiConsumes', ['application/json']);
    define('apiProduces', [type ?? 'application/json']);
    define('apiResponse', {
      200: { description: 'see the types of nest-resilience/admin', schema: { type: 'object' } },
      ...((query ?? change) && { 400: { description: 'the query or the body is wrong' } }),
      403: { description: 'refused: read-only, by a guard, or from another site' },
      ...(path && { 404: { description: 'nothing has that name' } }),
      ...(change && {
        413: { description: 'the body is too long' },
        415: { description: 'the body is not application/json' },
      }),
      ...(type && { 503: { description: 'too many clients' } }),
    });
  };
}

/** Leaves a route out of the document. */
export function Undocumented(): MethodDecorator {
  return (_target, _key, descriptor) => {
    const method = descriptor.value as object;
    Reflect.defineMetadata('swagger/apiExcludeEndpoint', { disable: true }, method);
  };
}

/** The heading of all routes. */
export function Tagged(): ClassDecorator {
  return (type) => Reflect.defineMetadata('swagger/apiUseTags', ['resilience'], type);
}

function parameter(name: string, where: 'path' | 'query', required: boolean): object {
  return { name, in: where, required, schema: { type: 'string' } };
}
