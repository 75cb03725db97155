import { liveRuntimes } from './live-runtimes.js';
import type { Runtime } from './runtime.js';

const [one, two, three] = [{}, {}, {}] as [Runtime, Runtime, Runtime];

afterEach(() => {
  for (const runtime of [one, two, three]) liveRuntimes.delete(runtime);
});

function start(...runtimes: Runtime[]): void {
  for (const runtime of runtimes) {
    liveRuntimes.add(runtime);
    liveRuntimes.started(runtime);
  }
}

describe('the only application', () => {
  it('is none before there is one, and none after it has closed', () => {
    expect(liveRuntimes.only).toBeUndefined();
    start(one);
    liveRuntimes.delete(one);
    expect(liveRuntimes.only).toBeUndefined();
  });

  it('is the one that runs, whatever else is starting', () => {
    liveRuntimes.add(two);
    start(one);
    liveRuntimes.add(three);
    expect(liveRuntimes.only).toBe(one);
  });

  it('is unknown while several run', () => {
    start(one, two);
    expect(liveRuntimes.only).toBe('several');
    start(three);
    expect(liveRuntimes.only).toBe('several');
    liveRuntimes.delete(one);
    liveRuntimes.delete(three);
    expect(liveRuntimes.only).toBe(two);
  });

  it('is the one that began to start last, while none runs', () => {
    liveRuntimes.add(one);
    liveRuntimes.add(two);
    expect(liveRuntimes.only).toBe(two);
    liveRuntimes.started(one);
    expect(liveRuntimes.only).toBe(one);
  });
});
