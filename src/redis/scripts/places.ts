import { LAST, script } from './script.js';

/**
 * KEYS: sorted set of leases, token by deadline; string that exists while a caller waits.
 * ARGV: channel or '', name as JSON, type of the step, and
 * - acquire: token, limit, duration of the lease
 * - renew: duration of the lease, tokens
 * - release: token
 * Durations in milliseconds.
 * Returns: whether it has been made, leases, retry after or '', whether to inform others, and lost tokens.
 */
export const PLACES = script(
  LAST,
  `
local MARGIN_MS = 60000
local leases, awaited = KEYS[1], KEYS[2]
local channel, name, step = ARGV[1], ARGV[2], ARGV[3]
anew('ZREMRANGEBYSCORE', leases, '-inf', int(now))

local function reply(granted, retryAfter, told, lost)
  local all = {granted and '1' or '0', int(redis.call('ZCARD', leases)), retryAfter or '', told and '1' or '0'}
  for _, token in ipairs(lost or {}) do all[#all + 1] = token end
  return all
end

local function keep()
  local last = lastOf(leases)
  if last then
    redis.call('PEXPIRE', leases, int(math.ceil((last - now) / 1000) + MARGIN_MS))
  end
end

if step == 'acquire' then
  local token, limit, lease = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
  if redis.call('ZCARD', leases) < limit or redis.call('ZSCORE', leases, token) then
    redis.call('ZADD', leases, int(now + lease * 1000), token)
    keep()
    return reply(true)
  end
  -- Who waits asks again when a lease ends, at the latest.
  redis.call('SET', awaited, '1', 'PX', int(math.max(1, 2 * lease)))
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
  return reply(false, first and int(math.ceil((tonumber(first) - now) / 1000)) or ARGV[6])
end

if step == 'renew' then
  local deadline, lost = int(now + tonumber(ARGV[4]) * 1000), {}
  for i = 5, #ARGV do
    if redis.call('ZSCORE', leases, ARGV[i]) then redis.call('ZADD', leases, deadline, ARGV[i])
    else lost[#lost + 1] = ARGV[i] end
  end
  keep()
  return reply(#lost == 0, nil, false, lost)
end

local granted = redis.call('ZREM', leases, ARGV[4]) == 1
local told = granted and redis.call('EXISTS', awaited) == 1
if told then tell(channel, {'place', name}) end
return reply(granted, nil, told)
`,
);
