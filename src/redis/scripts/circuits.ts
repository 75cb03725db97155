import { KEEP_MS } from '../../fleet/spans.js';
import { LAST, script } from './script.js';

/** A circuit in its hash. Times in microseconds of the server; 0 for an override without an end. */
const CIRCUIT = `
local UNKNOWN = {'closed', '0', '', '0', '0', '', '', ''}

-- A circuit that cannot be read is one that has been lost: nil, and whether there is one.
local function read(key)
  local v, other = tried('HMGET', key, 'state', 'epoch', 'incarnation', 'openUntil', 'openings',
    'successes', 'failures', 'override', 'overrideUntil', 'cleared')
  if other then return nil, true end
  if v[1] ~= 'closed' and v[1] ~= 'open' and v[1] ~= 'half-open' then return nil, redis.call('EXISTS', key) == 1 end
  if not v[3] or v[3] == '' or not v[8] then return nil, true end
  for _, i in ipairs({2, 4, 5, 6, 7, 9}) do
    if not counted(v[i]) then return nil, true end
  end
  local circuit = {
    state = v[1], epoch = tonumber(v[2]), incarnation = v[3], openUntil = tonumber(v[4]),
    openings = tonumber(v[5]), successes = tonumber(v[6]), failures = tonumber(v[7]),
    override = v[8], overrideUntil = tonumber(v[9]), cleared = v[10] == '1'
  }
  if circuit.overrideUntil > 0 and circuit.overrideUntil <= now then
    circuit.override, circuit.overrideUntil = '', 0
  end
  return circuit
end

local function remaining(untilThen) return int(math.max(0, math.ceil((untilThen - now) / 1000))) end

local function viewOf(circuit)
  if not circuit then return UNKNOWN end
  return {
    circuit.state, int(circuit.epoch), circuit.incarnation,
    circuit.state == 'open' and remaining(circuit.openUntil) or '0', int(circuit.openings),
    circuit.override, circuit.overrideUntil > 0 and remaining(circuit.overrideUntil) or '',
    circuit.override == '' and circuit.cleared and '1' or ''
  }
end
`;

/** KEYS: hashes. Returns their views; nil for those that do not exist, no state for those that cannot be read. */
export const VIEWS = script(
  CIRCUIT,
  `
local views = {}
for i, key in ipairs(KEYS) do
  local circuit, unreadable = read(key)
  views[i] = circuit and viewOf(circuit) or unreadable and {''} or false
end
return views
`,
);

/**
 * KEYS: hash; sorted set of leases, token by deadline; sorted set of votes, instance by time.
 * ARGV: channel or '', name as JSON, random text, type of the step, and
 * - trip: epoch, incarnation, instance, open times, votes that are needed or '', duration of a vote
 * - acquire: token, probes, successes, duration of the lease
 * - settle: token, outcome, successes, failures, open times
 * - override: JSON or '', duration or '', '1' for one that has been lost
 * Durations in milliseconds.
 * Returns: whether it has been made, retry after or '', whether to inform others, and the view.
 */
export const STEP = script(
  LAST,
  CIRCUIT,
  `
local KEEP_MS = ${KEEP_MS}
local key, leases, votes = KEYS[1], KEYS[2], KEYS[3]
local channel, name, random, step = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local circuit = read(key)
local before = circuit and circuit.epoch or 0

-- A probe that has died is neither success nor failure: the end of its lease only frees its slot.
anew('ZREMRANGEBYSCORE', leases, '-inf', int(now))

local function orNew()
  if circuit then return end
  -- What one key has lost by eviction must not come back by another one.
  redis.call('DEL', key, leases, votes)
  circuit = {
    state = 'closed', epoch = 0, incarnation = int(now) .. '-' .. random, openUntil = 0,
    openings = 0, successes = 0, failures = 0, override = '', overrideUntil = 0, cleared = false
  }
end

local function save(deadline)
  local last = math.max(now, deadline or 0, circuit.overrideUntil)
  if circuit.state == 'open' then last = math.max(last, circuit.openUntil) end
  last = math.max(last, lastOf(leases) or 0)
  local ttl = int(math.ceil((last - now) / 1000) + KEEP_MS)
  redis.call('HSET', key, 'state', circuit.state, 'epoch', int(circuit.epoch),
    'incarnation', circuit.incarnation, 'openUntil', int(circuit.openUntil),
    'openings', int(circuit.openings), 'successes', int(circuit.successes),
    'failures', int(circuit.failures), 'override', circuit.override,
    'overrideUntil', int(circuit.overrideUntil), 'cleared', circuit.cleared and '1' or '')
  if circuit.override ~= '' and circuit.overrideUntil == 0 then redis.call('PERSIST', key)
  else redis.call('PEXPIRE', key, ttl) end
  redis.call('PEXPIRE', leases, ttl)
  redis.call('PEXPIRE', votes, ttl)
end

local function enter(state)
  circuit.state, circuit.epoch = state, circuit.epoch + 1
  circuit.successes, circuit.failures = 0, 0
  redis.call('DEL', leases, votes)
end

local function open(list)
  local times = {}
  for ms in string.gmatch(list, '[^,]+') do times[#times + 1] = tonumber(ms) end
  circuit.openUntil = now + (times[circuit.openings + 1] or times[#times] or 0) * 1000
  circuit.openings = circuit.openings + 1
  enter('open')
end

local function close()
  circuit.openings = 0
  enter('closed')
end

local function reply(granted, retryAfter)
  local view = viewOf(circuit)
  local changed = circuit and circuit.epoch ~= before
  if changed then tell(channel, {'circuit', name, unpack(view)}) end
  return {granted and '1' or '0', retryAfter and remaining(retryAfter) or '', changed and '1' or '0', unpack(view)}
end

if step == 'trip' then
  if circuit and (circuit.state ~= 'closed' or circuit.epoch ~= tonumber(ARGV[5])
    or circuit.incarnation ~= ARGV[6]) then return reply(false) end
  orNew()
  if ARGV[9] ~= '' then
    local vote = tonumber(ARGV[10]) * 1000
    anew('ZREMRANGEBYSCORE', votes, '-inf', int(now - vote))
    redis.call('ZADD', votes, int(now), ARGV[7])
    if redis.call('ZCARD', votes) < tonumber(ARGV[9]) then
      save(now + vote)
      return reply(false)
    end
  end
  open(ARGV[8])
  save()
  return reply(true)
end

if step == 'acquire' then
  if not circuit or circuit.state == 'closed' then return reply(true) end
  if circuit.state == 'open' then
    if now < circuit.openUntil then return reply(false, circuit.openUntil) end
    enter('half-open')
  end
  local token, probes, successes = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
  if redis.call('ZSCORE', leases, token) then return reply(true) end
  local slots = math.max(1, math.min(probes, successes - circuit.successes))
  if redis.call('ZCARD', leases) >= slots then
    return reply(false, tonumber(redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]))
  end
  redis.call('ZADD', leases, int(now + tonumber(ARGV[8]) * 1000), token)
  save()
  return reply(true)
end

if step == 'settle' then
  if not circuit or redis.call('ZREM', leases, ARGV[5]) == 0 then return reply(false) end
  if ARGV[6] == 'success' then circuit.successes = circuit.successes + 1 end
  if ARGV[6] == 'failure' then circuit.failures = circuit.failures + 1 end
  if circuit.failures > tonumber(ARGV[8]) then open(ARGV[9])
  elseif circuit.successes >= tonumber(ARGV[7]) then close() end
  save()
  return reply(true)
end

if step == 'override' then
  if ARGV[7] == '1' and circuit and (circuit.override ~= '' or circuit.cleared) then return reply(false) end
  if ARGV[5] == '' and circuit and circuit.override == '' and circuit.cleared then return reply(true) end
  orNew()
  circuit.override, circuit.cleared = ARGV[5], ARGV[5] == ''
  circuit.overrideUntil = ARGV[6] ~= '' and now + tonumber(ARGV[6]) * 1000 or 0
  circuit.epoch = circuit.epoch + 1
  save()
  return reply(true)
end

orNew()
close()
save()
return reply(true)
`,
);
