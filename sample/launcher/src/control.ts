import { readFileSync } from 'node:fs';
import { CONTROL_FILE, type ControlFile } from './control-file.js';
import { HOST } from './net.js';

/** `control <app> <action>`: asks the running sample to do something to one of its processes. */
async function main(app = '', action = ''): Promise<void> {
  let file: ControlFile;
  try {
    file = JSON.parse(readFileSync(CONTROL_FILE, 'utf8')) as ControlFile;
  } catch {
    throw new Error('The sample is not running. Start it with: npm run sample');
  }
  const response = await fetch(`http://${HOST}:${file.port}/${app}/${action}`, {
    method: 'POST',
    headers: { authorization: file.token },
  }).catch(() => {
    throw new Error(
      'The sample does not answer; it was probably killed. Start it with: npm run sample',
    );
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`npm run sample:${app} -- ${action}: ${text}`);
  }
  process.stdout.write(`${text}\n`);
}

try {
  await main(...process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
