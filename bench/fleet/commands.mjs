// Redis commands of calls through a closed breaker that is shared.
import { redisStore } from '../../dist/esm/redis/index.js';
import { startApplication } from './application.mjs';

const CALLS = 1_000;

/** More than one turn of the event loop, so that work that calls leave for later turns is counted too. Milliseconds. */
const AFTERWARDS = 50;

/** The turns in the background are far apart, so that they are not among these commands. */
export async function countCommands(redis) {
  const { client, breaker, stop } = await startApplication(redisStore({ url: redis.url }));
  try {
    await rest(); // the turn at the start
    const commands = await redis.commandsOf(async () => {
      for (let i = 0; i < CALLS; i++) await client.getBooks();
      await rest();
    });
    // A transition has to show, or the count would prove nothing.
    const ofReset = await redis.commandsOf(async () => {
      breaker.reset();
      await rest();
    });
    if (sum(ofReset) === 0) throw new Error('Redis has counted no command of a reset');
    return { calls: CALLS, commands: sum(commands) };
  } finally {
    await stop();
  }
}

function rest() {
  return new Promise((resolve) => setTimeout(resolve, AFTERWARDS));
}

function sum(commands) {
  return Object.values(commands).reduce((a, b) => a + b, 0);
}
