import { fileURLToPath } from 'node:url';

/** The file with the address of a running sample: `dist/sample/control.json`. */
export const CONTROL_FILE = fileURLToPath(new URL('../../control.json', import.meta.url));

export interface ControlFile {
  readonly port: number;
  readonly token: string;
}
