import { isError, lookByCall } from './look.js';

/** The payload of Nest's `RpcException` and `WsException`, which their callers receive; `undefined` for other errors. */
export function payloadOf(error: unknown): object | undefined {
  if (!isError(error)) return undefined;
  const payload = lookByCall(error, 'getError');
  return typeof payload === 'object' && payload !== null && payload !== error ? payload : undefined;
}
