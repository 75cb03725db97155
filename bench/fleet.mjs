// A part of npm run bench: what it costs to share a breaker or a limit with other instances.
//
//   node bench/fleet.mjs [rounds]
//
// Prints one measurement as JSON. It starts a redis-server; without one, it measures only what needs no Redis, and fails if
// `CI` is set.
import { judgeFleet } from './fleet-report.mjs';
import { measureClosedCalls } from './fleet/closed-calls.mjs';
import { countCommands } from './fleet/commands.mjs';
import { measureLimits } from './fleet/limits.mjs';
import { startRedis } from './fleet/redis.mjs';
import { measureTrips } from './fleet/trips.mjs';

const rounds = Number(process.argv[2] ?? 200);
const redis = await startRedis();
try {
  const results = { closedCalls: await measureClosedCalls(rounds, redis) };
  if (redis !== undefined) {
    results.commands = await countCommands(redis);
    results.trips = await measureTrips(redis);
    results.limits = await measureLimits(rounds, redis);
  }
  console.log(JSON.stringify({ ...results, checks: judgeFleet(results) }));
} finally {
  await redis?.stop();
}
