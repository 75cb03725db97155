import { script } from './script.js';

/**
 * The generic cell rate algorithm: a bucket of calls that leaks evenly.
 *
 * KEYS: string of the bucket: calls that are counted, time at which they were, rate.
 * ARGV: limit, milliseconds of the period, burst, cost, longest wait in milliseconds.
 * Returns: whether it is allowed, calls that remain, and in milliseconds: wait, retry after or '' for never, reset; and whether
 * the count comes from another rate.
 *
 * A refused request writes only what keeps an older state from blocking for too long: after a change of the rate, and after
 * the server's clock has gone back.
 */
export const LIMIT = script(`
local ROUNDING = 1e-9
local limit, period, burst = tonumber(ARGV[1]), tonumber(ARGV[2]) * 1000, tonumber(ARGV[3])
local cost, longest = tonumber(ARGV[4]), tonumber(ARGV[5]) * 1000
local rate = ARGV[1] .. '/' .. ARGV[2] .. '/' .. ARGV[3]
local interval = period / limit
local level, mend, other = 0, false, false

-- A bucket that cannot be read is one that has been lost.
local stored, at, ofRate = string.match(tried('GET', KEYS[1]) or '', '^(%S+) (%S+) (%S+)$')
local ofLimit, ofPeriod = string.match(ofRate or '', '^([^/]+)/([^/]+)/')
local count, leak = tonumber(stored or ''), (tonumber(ofPeriod or '') or 0) * 1000 / (tonumber(ofLimit or '') or 0)
if count and count >= 0 and count < math.huge and counted(at) and leak > 0 and leak < math.huge then
  local elapsed = now - tonumber(at)
  mend = elapsed < 0
  level = count - math.max(0, elapsed) / leak
  if level <= ROUNDING then level = 0 end
  if ofRate ~= rate then
    other = level > 0
    level, mend = math.min(level, burst), true
  end
end

-- Whole numbers that are returned need no text: Redis makes integers of them.
local function whole(n) return math.max(0, math.min(n, 9007199254740991)) end
local function inMs(us) return whole(math.ceil(us / 1000 - ROUNDING)) end

local over = level + cost - burst
local wait = over > ROUNDING and over * interval or 0
local allowed = cost <= burst and wait <= longest + ROUNDING * interval
if allowed then level = level + cost end
if level > 0 and (mend or (allowed and cost > 0)) then
  redis.call('SET', KEYS[1], string.format('%.17g', level) .. ' ' .. int(now) .. ' ' .. rate,
    'PX', int(math.min(math.ceil(level * interval / 1000) + 1, 315360000000)))
end
return {
  allowed and 1 or 0,
  whole(math.floor(burst - level + ROUNDING)),
  allowed and inMs(wait) or 0,
  allowed and 0 or cost > burst and '' or inMs(wait - longest),
  inMs(level * interval),
  other and 1 or 0
}
`);
