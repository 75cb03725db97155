import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { type Browser, type Page, chromium } from 'playwright-core';

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser on this machine; `undefined` when there is none. */
export const executable = CANDIDATES.find((path) => path !== undefined && existsSync(path));

if (executable === undefined && process.env.CI) {
  throw new Error('no Chromium: install the Debian package `chromium`, or set CHROMIUM');
}
if (executable === undefined) {
  process.stdout.write('skipped: the page in a browser; install Chromium, or set CHROMIUM\n');
}

/** Tests that need a browser: skipped on a machine without one, except in CI. */
export const describeWithBrowser = executable === undefined ? describe.skip : describe;

/** Starts the browser without a window. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable!, args: ['--no-sandbox'] });
}

/** All that a page has complained of: errors, and violations of its security policy. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

/** Closes an application whose clients still read its stream. */
export async function closed(app: INestApplication): Promise<void> {
  (app.getHttpServer() as Server).closeAllConnections();
  await app.close();
}
