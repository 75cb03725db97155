import { isError, lookByCall } from './look.js';

/** What Nest's `RpcException` and `WsException` carry, which is what their callers receive; `undefined` for other errors. */
export function payloadOf(error: unknown): object | undefined {
  if (!isError(error)) return undefined;
  const payload = lookByCall(error, 'getError');
  return typeof payload === 'object' && payload !== null && payload !== error ? payload : undefined;
}
