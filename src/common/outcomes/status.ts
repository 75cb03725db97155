import { look, lookByCall, lookForInteger } from './look.js';
import { payloadOf } from './payload.js';

function asHttpStatus(value: unknown): number | undefined {
  const valid = Number.isInteger(value) && (value as number) >= 300 && (value as number) <= 599;
  return valid ? (value as number) : undefined;
}

/**
 * The HTTP status of an error, from 300 to 599: of Nest's `HttpException`, or of an HTTP client's error (axios, got,
 * superagent, ky, undici: a `response` with a status, or a status of its own; AWS SDK v3: `$metadata`); also inside
 * Nest's `RpcException` and `WsException`, and of a `GraphQLError`.
 */
export function statusOf(error: unknown): number | undefined {
  const payload = payloadOf(error);
  if (payload !== undefined) return ownStatusOf(payload) ?? asHttpStatus(look(payload, 'code'));
  return ownStatusOf(error) ?? graphqlStatusOf(error);
}

function ownStatusOf(error: unknown): number | undefined {
  const declared = lookByCall(error, 'getStatus');
  if (declared !== undefined) return asHttpStatus(declared);
  const response = look(error, 'response');
  return (
    asHttpStatus(look(response, 'status')) ??
    asHttpStatus(look(response, 'statusCode')) ??
    asHttpStatus(look(error, 'status')) ??
    asHttpStatus(look(error, 'statusCode')) ??
    asHttpStatus(lookForInteger(look(error, '$metadata'), 'httpStatusCode'))
  );
}

/** A `GraphQLError` may say its status itself, or wrap the error that says it. */
function graphqlStatusOf(error: unknown): number | undefined {
  const extensions = look(error, 'extensions');
  return (
    asHttpStatus(look(look(extensions, 'http'), 'status')) ??
    asHttpStatus(look(extensions, 'code')) ??
    ownStatusOf(look(error, 'originalError'))
  );
}
