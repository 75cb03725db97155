// The library's suite on Nest 10, 11 or 12 (NEST_MAJOR). Every dependency of test/compat/nest<major>/package.json
// replaces the development version of the same name; 12 is the development version and replaces nothing.
const { join } = require('node:path');
const base = require('../../jest.config.cjs');

const major = process.env.NEST_MAJOR ?? '12';

function replacements() {
  if (major === '12') return {};
  const folder = join(__dirname, `nest${major}`);
  const { dependencies } = require(join(folder, 'package.json'));
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => [
      `^${name}(/.*)?$`,
      join(folder, 'node_modules', name) + '$1',
    ]),
  );
}

module.exports = {
  ...base,
  displayName: `nest ${major}`,
  // The sample's own dependencies are for Nest 12 only.
  testPathIgnorePatterns: ['/node_modules/', ...(major === '12' ? [] : ['<rootDir>/test/sample/'])],
  moduleNameMapper: { ...base.moduleNameMapper, ...replacements() },
};
