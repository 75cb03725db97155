import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { executable } from './chromium.js';

if (executable === undefined && process.env.CI) {
  throw new Error('no Chromium: install the Debian package `chromium`, or set CHROMIUM');
}
if (executable === undefined) {
  process.stdout.write('skipped: the page in a browser; install Chromium, or set CHROMIUM\n');
}

/** Tests that need a browser: skipped on a machine without one, except in CI. */
export const describeWithBrowser = executable === undefined ? describe.skip : describe;

/** Closes an application whose clients still read its stream. */
export async function closed(app: INestApplication): Promise<void> {
  (app.getHttpServer() as Server).closeAllConnections();
  await app.close();
}
