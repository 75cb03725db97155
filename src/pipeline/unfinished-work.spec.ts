import { deferred, settle } from '../../test/support/wait.js';
import { UnfinishedWork } from './unfinished-work.js';

/** Whether a wait is over, after all that has ended. */
async function isOver(wait: PromiseLike<unknown> | undefined): Promise<boolean> {
  let over = false;
  void Promise.resolve(wait).then(() => (over = true));
  await settle();
  return over;
}

describe('the work that goes on of a call', () => {
  it('is that of the attempt that was given up, or runs out of sight', () => {
    const work = new UnfinishedWork();
    expect(work.end(0)).toBeUndefined();
    const [running, abandoned] = [Promise.resolve(), Promise.resolve()];
    work.running = running;
    expect(work.end(0)).toBe(running);
    work.abandoned = abandoned;
    expect(work.end(0)).toBe(abandoned);
    work.beginAttempt();
    expect(work.end(0)).toBeUndefined();
  });

  it('is that of earlier attempts too, for the stage that has had it run again and those around it', async () => {
    const work = new UnfinishedWork();
    const [first, second] = [deferred<void>(), deferred<void>()];
    work.abandoned = first.promise;
    work.beginAgain(1, true);
    work.beginAttempt();
    expect(work.end(2)).toBeUndefined();
    expect(work.end(1)).toBeDefined();
    const before = work.end(0);
    work.abandoned = second.promise;
    expect(work.end(2)).toBe(second.promise);
    const all = work.end(0);
    second.resolve();
    expect(await isOver(all)).toBe(false);
    first.reject(new Error('late'));
    expect(await isOver(all)).toBe(true);
    expect(await isOver(before)).toBe(true);
    work.beginAttempt();
    expect(work.end(0)).toBeUndefined();
  });

  it('goes on as long as the last attempt does, though earlier ones have ended', async () => {
    const work = new UnfinishedWork();
    const [first, second] = [deferred<void>(), deferred<void>()];
    work.abandoned = first.promise;
    work.beginAgain(1, true);
    work.abandoned = second.promise;
    const all = work.end(0);
    first.resolve();
    expect(await isOver(all)).toBe(false);
    second.resolve();
    expect(await isOver(all)).toBe(true);
  });

  it('is forgotten at once when no stage has to know its end', () => {
    const work = new UnfinishedWork();
    work.abandoned = Promise.resolve();
    work.beginAgain(1, false);
    work.beginAttempt();
    expect(work.end(0)).toBeUndefined();
    work.beginAgain(1, true); // nothing goes on
    expect(work.end(0)).toBeUndefined();
  });
});
