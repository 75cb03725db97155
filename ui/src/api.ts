import type { Message } from './connection.js';

export type Action = 'force-open' | 'disable' | 'observe-only' | 'clear' | 'reset';

export interface Problem {
  readonly status: number;
  readonly message: string;
}

export class Reader {
  read(_message: Message): void {}
}

export async function act(
  _action: Action,
  _name: string,
  _wish: { by: string; reason: string; until: Date | undefined },
): Promise<Problem | undefined> {
  return undefined;
}
