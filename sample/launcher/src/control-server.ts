import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { App } from './app.js';
import { CONTROL_FILE, type ControlFile } from './control-file.js';
import { HOST } from './net.js';

type Action = (app: App, untilHealthy: (app: App) => Promise<void>) => Promise<string> | string;

const ACTIONS: Readonly<Record<string, Action>> = {
  status: (app) => (app.running ? `runs, process ${app.pid}` : 'is stopped'),
  stop: async (app) => {
    await app.stop();
    return 'is stopped';
  },
  kill: async (app) => {
    await app.kill();
    return 'is killed';
  },
  freeze: (app) => {
    app.freeze();
    return 'is frozen: it accepts connections and answers nothing';
  },
  thaw: (app) => {
    app.thaw();
    return 'goes on';
  },
  start: async (app, untilHealthy) => {
    app.start();
    await untilHealthy(app);
    return 'runs';
  },
};

let server: Server | undefined;

/** Lets another terminal control the processes: `npm run sample:database -- stop`. */
export async function openControl(
  apps: readonly App[],
  untilHealthy: (app: App) => Promise<void>,
): Promise<void> {
  const token = randomUUID();
  const control = createServer((request, response) => {
    void (async () => {
      const [, name, action = ''] = (request.url ?? '').split('/');
      const app = apps.find((candidate) => candidate.name === name);
      const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
      if (request.headers.authorization !== token) {
        response.writeHead(403).end();
        return;
      }
      if (app === undefined) {
        response.writeHead(404).end(`the running sample has no ${name} of its own`);
        return;
      }
      if (act === undefined) {
        response.writeHead(400).end(`use one of: ${Object.keys(ACTIONS).join(', ')}`);
        return;
      }
      try {
        const result = await act(app, untilHealthy);
        response.end(`${app.name} ${result}`);
      } catch (error) {
        response.writeHead(500).end(error instanceof Error ? error.message : String(error));
      }
    })();
  });
  server = control;
  await new Promise<void>((resolve) => control.listen(0, HOST, resolve));
  const address = control.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const file: ControlFile = { port, token };
  writeFileSync(CONTROL_FILE, JSON.stringify(file), { mode: 0o600 });
}

export function closeControl(): void {
  if (server !== undefined) {
    server.closeAllConnections();
    server.close();
    rmSync(CONTROL_FILE, { force: true });
  }
}
