import { fileURLToPath } from 'node:url';

/** The file in which a running sample writes how to reach it: `dist/sample/control.json`. */
export const CONTROL_FILE = fileURLToPath(new URL('../../control.json', import.meta.url));

export interface ControlFile {
  readonly port: number;
  readonly token: string;
}
