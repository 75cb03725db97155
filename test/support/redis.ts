import { spawnSync } from 'node:child_process';

/** Whether a `redis-server` can be started here. */
const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** `describe` for tests that start a Redis of their own. */
export const describeWithRedis = describeWith(
  found,
  'there is no redis-server in PATH; install Redis to run these tests',
);

/** `describe` for tests that start a server: on CI they fail without it, elsewhere they are skipped. */
export function describeWith(isThere: boolean, missing: string): jest.Describe {
  if (isThere || process.env.CI !== undefined) return describe;
  console.warn(`skipped: ${missing}`);
  return describe.skip;
}
