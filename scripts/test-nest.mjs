// npm run test:nest10 | test:nest11 | test:nest12: the library's suite on one Nest major, as one Jest process.
//
//   node scripts/test-nest.mjs <major> [jest arguments]
//
// The old majors live in test/compat/nest<major>, installed on demand; 12 is the development version.
import { fromRoot, installLocked, run } from './tools.mjs';

const [major, ...jestArgs] = process.argv.slice(2);
if (!['10', '11', '12'].includes(major)) {
  console.error('usage: node scripts/test-nest.mjs 10|11|12 [jest arguments]');
  process.exit(2);
}
if (major !== '12') await installLocked(fromRoot('test', 'compat', `nest${major}`));

process.exitCode = run(
  process.execPath,
  [
    fromRoot('node_modules', 'jest', 'bin', 'jest.js'),
    '--config',
    fromRoot('test', 'compat', 'jest.config.cjs'),
    ...jestArgs,
  ],
  { env: { ...process.env, NEST_MAJOR: major } },
);
