import type { CallReport, ReportSink } from './call-report.js';
import { callScope } from './call-scope.js';
import { HandlerAttempt } from './handler-attempt.js';
import { withReport } from './with-report.js';

const report: CallReport = {
  name: 'Books.list',
  attempts: 1,
  outcome: 'success',
  source: 'live',
  ageMs: undefined,
  durationMs: 1,
};

describe('withReport', () => {
  it('answers with the value, and what calls inside of it have reported', async () => {
    const { value, calls } = await withReport(async () => {
      callScope.getStore()!.reports!.add(report);
      await Promise.resolve();
      callScope.getStore()!.reports!.add(report);
      return 'books';
    });
    expect(value).toBe('books');
    expect(calls).toEqual([report, report]);
  });

  it('takes work that is not asynchronous', async () => {
    await expect(withReport(() => 1)).resolves.toEqual({ value: 1, calls: [] });
  });

  it('throws what the work throws', async () => {
    const error = new Error('x');
    await expect(withReport(() => Promise.reject(error))).rejects.toBe(error);
    await expect(
      withReport(() => {
        throw error;
      }),
    ).rejects.toBe(error);
  });

  it('keeps reports apart: side by side, and inside each other', async () => {
    const add = async (): Promise<void> => {
      await Promise.resolve();
      callScope.getStore()!.reports!.add(report);
    };
    const [one, two] = await Promise.all([
      withReport(add),
      withReport(async () => {
        await add();
        const inner = await withReport(add);
        await add();
        return inner.calls.length;
      }),
    ]);
    expect(one.calls).toHaveLength(1);
    expect(two).toMatchObject({ value: 1, calls: [report, report] });
  });

  it('keeps what is known of the call around it', async () => {
    const method = {};
    const handler = new HandlerAttempt(undefined, method, undefined);
    await callScope.run({ handler }, async () => {
      await withReport(() => callScope.getStore()!.handler!.run(() => 1, undefined, []));
      expect(handler.claims(method)).toBe(false);
    });
  });

  it('takes no reports after its end, nor after its failure', async () => {
    const { value: sink, calls } = await withReport(() => callScope.getStore()!.reports!);
    sink.add(report);
    expect(calls).toEqual([]);
    let failed: ReportSink | undefined;
    const failing = withReport(() => {
      failed = callScope.getStore()!.reports;
      throw new Error('x');
    });
    await expect(failing).rejects.toThrow('x');
    failed!.add(report);
    expect(failed!.calls).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    await withReport(() => 1);
    expect(callScope.getStore()).toBeUndefined();
  });
});
