import { spawnSync } from 'node:child_process';

/** Whether a `redis-server` can be started here. */
const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** `describe` for tests that start a Redis of their own: on CI they fail without one, elsewhere they are skipped. */
export const describeWithRedis: jest.Describe =
  found || process.env.CI !== undefined ? describe : skipping();

function skipping(): jest.Describe {
  console.warn('skipped: there is no redis-server in PATH; install Redis to run these tests');
  return describe.skip;
}
