import { createHash } from 'node:crypto';

/** A Lua script that servers keep by its hash. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/**
 * Numbers become text by `int` alone: Lua's `tostring` and `..` round to 14 digits, and a time in microseconds has 16. The
 * server's time is the only one.
 */
const PRELUDE = `
local function int(n) return string.format('%.0f', n) end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Whether a key holds another type of value than a store puts there.
local function isOther(reply)
  return type(reply) == 'table' and reply.err and string.find(reply.err, 'WRONGTYPE', 1, true)
end
`;

export function script(...parts: string[]): Script {
  const text = [PRELUDE, ...parts].join('').trim();
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
