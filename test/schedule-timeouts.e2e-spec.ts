import { Injectable } from '@nestjs/common';
import { Timeout as ScheduleTimeout } from '@nestjs/schedule';
import { Retry, Timeout } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';

afterEach(closeAll);

/** As in JavaScript, without type checks. */
const untyped = ScheduleTimeout as unknown as (time: unknown) => MethodDecorator;

describe('a @Timeout() that is imported from @nestjs/schedule', () => {
  it('instead of ours is reported at bootstrap, with and without policies beside it', async () => {
    @Injectable()
    class Shelf {
      @Retry()
      @untyped('2s')
      async books(): Promise<void> {}

      @untyped({ attempt: '1s' })
      async authors(): Promise<void> {}
    }
    @Injectable()
    class Child extends Shelf {}
    const problems = await problemsOf({ providers: [Child] });
    const told = (method: string): string =>
      `Child.${method} @Timeout: is that of @nestjs/schedule and has no number of milliseconds; import Timeout from nest-resilience, or give a number`;
    expect(problems).toEqual([told('books'), told('authors')]);
  });

  it('may schedule a method, even one with our timeout', async () => {
    @Injectable()
    class Jobs {
      @Timeout('1s')
      @ScheduleTimeout(2_000)
      async one(): Promise<void> {}

      @ScheduleTimeout('named', 2_000)
      async two(): Promise<void> {}
    }
    await expect(boot({ providers: [Jobs] })).resolves.toBeDefined();
  });
});
