import { createHash } from 'node:crypto';

/** A Lua script that servers keep by its hash. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/**
 * Numbers become text only by `int`: Lua's `tostring` and `..` round to 14 digits, and a time in microseconds has 16. The
 * server's time is the only one.
 */
const PRELUDE = `
local function int(n) return string.format('%.0f', n) end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- The number in a text; nil unless it is whole, and can grow.
local function counted(text)
  local n = tonumber(text or '')
  return n and n == math.floor(n) and n >= 0 and n < ${Number.MAX_SAFE_INTEGER} and n or nil
end

-- The reply to a command; nil and true if its key holds another type of value than a store puts there.
local function tried(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then return nil, true end
  return redis.call(...) -- fails again, which ends the script
end

-- The reply to a command, after the deletion of a key that holds another type of value.
local function anew(command, key, ...)
  local reply, other = tried(command, key, ...)
  if not other then return reply end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
end

-- Messages may be lost, also when the server does not permit them: the step has been made.
local function tell(channel, message)
  if channel ~= '' then redis.pcall('PUBLISH', channel, cjson.encode(message)) end
end
`;

/** For sorted sets of times. */
export const LAST = `
-- The highest score; members beyond all times, which only somebody else puts there, are removed.
local function lastOf(set)
  local last = tonumber(redis.call('ZRANGE', set, -1, -1, 'WITHSCORES')[2] or '')
  if not last or last < ${Number.MAX_SAFE_INTEGER} then return last end
  redis.call('ZREMRANGEBYSCORE', set, '${Number.MAX_SAFE_INTEGER}', '+inf')
  return lastOf(set)
end
`;

export function script(...parts: string[]): Script {
  const text = [PRELUDE, ...parts].join('').trim();
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
