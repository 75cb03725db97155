describe('the Nest major under test', () => {
  it('is the one that NEST_MAJOR names', () => {
    const { version } = require('@nestjs/core/package.json') as { version: string };
    const { version: common } = require('@nestjs/common/package.json') as { version: string };
    const major = process.env.NEST_MAJOR ?? '12';
    expect([version.split('.')[0], common.split('.')[0]]).toEqual([major, major]);
  });
});
