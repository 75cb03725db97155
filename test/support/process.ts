import { runInThisContext } from 'node:vm';

/**
 * The process itself. Jest gives each spec file a copy, which hears neither unhandled rejections nor warnings.
 * Jest fails a test that leaves a rejection unhandled; with this one, a test can look at them.
 */
export const hostProcess = runInThisContext('process') as NodeJS.Process;
