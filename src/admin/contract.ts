/*
 * The answers of the management API, as they are after JSON.parse(). Instants are milliseconds since the epoch, on the
 * server's clock; durations are milliseconds; rates and shares are 0 to 1. A field without a value is left out.
 */

export type * from './contract/answers.js';
export type * from './contract/fleet.js';
export type * from './contract/parts.js';
export type * from './contract/stream.js';
