/** With `--json` the results go to stdout as JSON, and everything else to stderr. */
export const json = process.argv.includes('--json');

export function print(text: string): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}
