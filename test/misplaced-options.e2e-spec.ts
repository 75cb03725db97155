import { CircuitOpenError, ResilienceModule, overridesFromEnv } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { making, problemsBy, problemsOf, wrong } from './support/commands.js';

/*
 * Options in a place where nobody reads them are problems, not ignored.
 */

afterEach(closeAll);

const variables = overridesFromEnv({ RESILIENCE__ALL__RETRY__MAX_RETRIES: '1' });
const right = 'use { overrides: overridesFromEnv(process.env) }';

describe('variables have no effect', () => {
  it.each([
    ['', variables],
    [' in defaults', { defaults: variables }],
    [' in configs', { configs: variables }],
    [' in pipelines', { pipelines: { ...variables } }],
  ])('as options%s', async (place, options) => {
    expect(await problemsOf({ resilience: wrong(options) })).toEqual([
      `ResilienceModule.forRoot(): overridesFromEnv() has no effect${place}; ${right}`,
    ]);
  });

  it('as options of a feature module', async () => {
    expect(await problemsOf({ imports: [ResilienceModule.forFeature(variables)] })).toEqual([
      `ResilienceModule.forFeature() of AppModule: overridesFromEnv() has no effect; ${right}`,
    ]);
  });
});

it.each([null, {}, 7])('a feature module takes protected providers, not %j', (given) => {
  expect(problemsBy(() => ResilienceModule.forFeature(wrong([given])))).toEqual([
    expect.stringMatching(/: the list has (null|\{\}|7); use what protectProvider\(\) returns$/),
  ]);
});

class Options {
  createResilienceOptions() {
    return {};
  }
}

it('what is injected beside a class is no problem: many applications have it, and the class gets it anyway', async () => {
  const imports = [ResilienceModule.forRootAsync({ useClass: Options, inject: ['x'] })];
  await boot({ resilience: false, imports });
});

it('the order of a pipeline that nobody uses has all of its stages', async () => {
  const pipelines = { mail: { order: ['retry'], retry: {}, timeout: '1s' } } as const;
  expect(await problemsOf({ resilience: { pipelines } })).toEqual([
    "pipeline 'mail': has the stage 'attempt timeout', which the order of its pipeline leaves out",
  ]);
});

it('a problem is told once, however often a provider causes it', async () => {
  const makes = [1, 2].map(() => making((service) => service.pipeline(wrong(7), {})));
  expect(await problemsOf({ providers: makes })).toEqual([
    'pipeline 7: the name is 7; use a non-empty string',
  ]);
});

it('an error has a message, whatever its name is', () => {
  expect(new CircuitOpenError(wrong(undefined), 1).message).toBe('circuit "undefined" is open');
});
