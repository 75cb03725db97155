import { closeClient } from './client.js';
import { onInterrupt } from '../../../../sample/launcher/src/interrupt.js';
import { json, print } from './output.js';
import type { Report } from './report.js';

/** Runs an experiment, prints its results and ends the process: exit code 0 if all expectations hold. */
export async function play(
  report: Report,
  run: () => Promise<void>,
  close: () => Promise<unknown>,
): Promise<void> {
  const start = performance.now();
  const end = async (code: number): Promise<void> => {
    closeClient();
    await close();
    process.exit(code);
  };
  onInterrupt(() => void end(130));
  try {
    await run();
  } catch (error) {
    report.check('the experiment', 'runs to its end', false, String(error));
  }
  const seconds = Math.round((performance.now() - start) / 1_000);
  const { holds } = report;
  if (json) {
    process.stdout.write(
      `${JSON.stringify(Object.assign({ holds, seconds }, report), undefined, 2)}\n`,
    );
  } else {
    report.printTables();
    print(`\n${holds ? 'All expectations hold' : 'NOT all expectations hold'} (${seconds} s).`);
  }
  await end(holds ? 0 : 1);
}
