import { LAST, script } from './script.js';

const LIVE = `
local deadlines, infos = KEYS[1], KEYS[2]
for _, id in ipairs(anew('ZRANGEBYSCORE', deadlines, '-inf', int(now))) do
  redis.call('ZREM', deadlines, id)
  anew('HDEL', infos, id)
end
`;

/**
 * KEYS: sorted set of instances by deadline; hash of their reports: time in microseconds, and JSON, by instance.
 * ARGV: instance, JSON, milliseconds until the deadline.
 * Returns how many instances are alive.
 */
export const HEARTBEAT = script(
  LAST,
  LIVE,
  `
redis.call('ZADD', deadlines, int(now + tonumber(ARGV[3]) * 1000), ARGV[1])
anew('HSET', infos, ARGV[1], int(now) .. ' ' .. ARGV[2])
local ttl = int(math.ceil((lastOf(deadlines) - now) / 1000) + 60000)
redis.call('PEXPIRE', deadlines, ttl)
redis.call('PEXPIRE', infos, ttl)
return int(redis.call('ZCOUNT', deadlines, '(' .. int(now), '+inf'))
`,
);

/** KEYS: as above. Returns the reports of the living instances: how many milliseconds ago, JSON, and so on. Changes nothing. */
export const INSTANCES = script(`
local ids = tried('ZRANGEBYSCORE', KEYS[1], '(' .. int(now), '+inf') or {}
local told = {}
for first = 1, #ids, 1000 do
  local some = {unpack(ids, first, math.min(first + 999, #ids))}
  for _, info in ipairs(tried('HMGET', KEYS[2], unpack(some)) or {}) do
    local at, json = string.match(info or '', '^(%d+) (.*)$')
    if at then
      told[#told + 1] = int(math.max(0, math.floor((now - tonumber(at)) / 1000)))
      told[#told + 1] = json
    end
  end
end
return told
`);

/** KEYS: as above. ARGV: instance. */
export const LEAVE = script(
  LIVE,
  `
redis.call('ZREM', deadlines, ARGV[1])
anew('HDEL', infos, ARGV[1])
return '1'
`,
);

/** KEYS: the sorted set. Returns how many instances are alive. */
export const LIVING = script(`
return int(redis.call('ZCOUNT', KEYS[1], '(' .. int(now), '+inf'))
`);

const CURRENT = `
local v = tried('HMGET', KEYS[1], 'revision', 'settings', 'at') or {}
if not counted(v[1]) or not counted(v[3]) then v = {} end
local revision = tonumber(v[1] or '0')
local function settings(changed)
  local age = math.max(0, math.floor((now - tonumber(v[3] or int(now))) / 1000))
  return {changed, int(revision), int(age), v[2] or '{}'}
end
`;

/**
 * KEYS: hash of revision, settings, and the time of their change, in microseconds. Changes nothing.
 * Returns: 0, revision, milliseconds since the change, text; revision 0 for none.
 */
export const READ_SETTINGS = script(CURRENT, `return settings('0')\n`);

/**
 * KEYS: as above. ARGV: channel or '', expected revision, text.
 * Returns: whether they have been replaced, and as above.
 */
export const SETTINGS = script(
  CURRENT,
  `
if revision ~= tonumber(ARGV[2]) then return settings('0') end
revision = revision + 1
v = {int(revision), ARGV[3], int(now)}
anew('HSET', KEYS[1], 'revision', v[1], 'settings', v[2], 'at', v[3])
tell(ARGV[1], {'settings', v[1]})
return settings('1')
`,
);
