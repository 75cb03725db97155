// npm run soak: makes many calls and requests, and checks that memory, handles and listeners stay flat. Needs a build
// (npm run build). Also lets clients of streams leave early, 10,000 of each kind. The default is a short form for CI; SOAK=long
// makes 2,000,000 calls, 100,000 requests and as many streams on Fastify as on Express; SOAK_CALLS, SOAK_REQUESTS and
// SOAK_STREAMS (of each kind) set the numbers.
import { existsSync } from 'node:fs';
import { fromRoot, run } from './tools.mjs';

const { SOAK, SOAK_CALLS, SOAK_REQUESTS, SOAK_STREAMS } = process.env;
const calls = SOAK_CALLS ?? (SOAK === 'long' ? '2000000' : '800000');
const requests = Number(SOAK_REQUESTS ?? (SOAK === 'long' ? 100_000 : 30_000));
const streams = Number(SOAK_STREAMS ?? 10_000);

if (!existsSync(fromRoot('dist', 'esm', 'index.js'))) {
  console.error('npm run build first');
  process.exit(2);
}

const part = (...args) => run(process.execPath, args);
const soak = (name) => fromRoot('test', 'soak', name);

const codes = [
  part('--expose-gc', soak('calls.mjs'), calls),
  part(soak('http.mjs'), 'express', String(requests / 2)),
  part(soak('http.mjs'), 'fastify', String(requests / 2)),
  part(soak('streams.mjs'), 'express', String(streams)),
  part(soak('streams.mjs'), 'fastify', String(SOAK === 'long' ? streams : streams / 10)),
];
process.exitCode = Math.max(...codes);
