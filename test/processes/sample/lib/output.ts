/** With `--json` what was found is JSON on stdout, and everything else goes to stderr. */
export const json = process.argv.includes('--json');

export function print(text: string): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}
