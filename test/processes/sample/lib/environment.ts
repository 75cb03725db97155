import type { Environment } from '../../../../sample/launcher/src/app.js';

const KEPT = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot'];

/** An experiment is about the default settings: settings from the caller's shell are left out. */
export function cleanEnvironment(settings: Environment): Environment {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...settings };
}
