import { spawnSync } from 'node:child_process';

/** Runs Prometheus' `promtool`. */
export function promtool(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

const found = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;

/** `describe` for tests that run `promtool`: on CI they fail without it, elsewhere they are skipped. */
export const describeWithPromtool: jest.Describe =
  found || process.env.CI !== undefined ? describe : skipping();

function skipping(): jest.Describe {
  console.warn('skipped: there is no promtool in PATH; install Prometheus to run these tests');
  return describe.skip;
}
