import { runInThisContext } from 'node:vm';
import { outcome } from '../../../test/support/wait.js';
import { TimeoutError } from '../../policies/timeout/timeout-error.js';
import { nestCallerOf } from './nest-caller.js';

const rejection = new TimeoutError('Jobs.run', 'attempt', 1_000);

class Jobs {
  run(result: Promise<unknown>): Promise<unknown> {
    return calledByNest(result);
  }
}

const run = Jobs.prototype.run;
Reflect.defineMetadata('SCHEDULER_TYPE', 1, run);
const warn = jest.fn();
const calledByNest = nestCallerOf(run, Jobs, 'Jobs.run', warn)!;

/** Calls the method from a file. */
function callFrom(filename: string, result: Promise<unknown>): Promise<unknown> {
  const call = runInThisContext('(run, result) => run(result)', { filename }) as (
    run: Function,
    result: Promise<unknown>,
  ) => Promise<unknown>;
  return call(run, result);
}

describe('a call of a scheduled method', () => {
  const prepare = Error.prepareStackTrace;
  afterEach(() => {
    Error.prepareStackTrace = prepare;
    warn.mockClear();
  });

  it('formats no stack while it succeeds, and leaves the limit of stacks alone', async () => {
    const limit = Error.stackTraceLimit;
    const format = jest.fn();
    Error.prepareStackTrace = format;
    await expect(run(Promise.resolve('ran'))).resolves.toBe('ran');
    expect(format).not.toHaveBeenCalled();
    expect(Error.stackTraceLimit).toBe(limit);
  });

  it('by the scheduler is reported when it is rejected, whatever the limit of stacks', async () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const call = callFrom('/app/node_modules/@nestjs/schedule/jobs.js', Promise.reject(rejection));
    Error.stackTraceLimit = limit;
    await expect(call).resolves.toBeUndefined();
    expect(warn.mock.calls).toEqual([[`Jobs.run was rejected: ${rejection.message}`]]);
  });

  it('by the application gets its rejection', async () => {
    const call = callFrom('/app/src/jobs.js', Promise.reject(rejection));
    await expect(outcome(call)).resolves.toEqual({ error: rejection });
    expect(warn).not.toHaveBeenCalled();
  });
});
