import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { TestCall } from '../../test/support/test-call.js';
import { Pipeline } from './pipeline.js';
import { Stage } from './stage.js';

const bug = new Error('a bug');
const fail = (): never => {
  throw bug;
};

/** Counts how often it is entered and left. */
class Door extends Stage {
  entered = 0;
  left = 0;
  override enter(): undefined {
    this.entered += 1;
  }
  override exit(): void {
    this.left += 1;
  }
}

class Throwing extends Stage {
  constructor(private readonly at: 'enter' | 'ready' | 'exit' | 'react') {
    super();
  }
  override enter(): undefined {
    if (this.at === 'enter') fail();
  }
  override ready(): undefined {
    if (this.at === 'ready') fail();
  }
  override exit(): void {
    if (this.at === 'exit') fail();
  }
  override react(): void {
    if (this.at === 'react') fail();
  }
}

const down = new Error('down');

describe.each([
  ['without listeners', false],
  ['with a listener that throws, and a logger that does', true],
])('a stage that has been entered is left once, %s,', (_, listened) => {
  const run = async (
    stages: readonly Stage[],
    work: () => unknown,
    interruptible = false,
  ): Promise<unknown> => {
    const events = new ResilienceEvents(fail);
    if (listened) events.subscribe(fail);
    const call = new TestCall(work, { interruptible });
    return new Pipeline('toy', stages, events).run(call).catch((error: unknown) => ({ error }));
  };

  describe.each([
    ['that can be interrupted', true],
    ['that cannot', false],
  ])('by a call %s', (_name, interruptible) => {
    it.each(['enter', 'ready', 'exit', 'react'] as const)(
      'when a stage further inside throws in %s()',
      async (at) => {
        const [outer, inner] = [new Door(), new Door()];
        for (const work of [(): number => 1, () => Promise.reject(down), fail]) {
          await run([outer, new Throwing(at), inner], work, interruptible);
        }
        expect(outer).toMatchObject({ entered: 3, left: 3 });
        expect(inner.left).toBe(inner.entered);
      },
    );

    it('when one throws in exit(), which changes nothing about the outcome', async () => {
      const stages = [new Door(), new Throwing('exit')];
      await expect(run(stages, () => 1, interruptible)).resolves.toBe(1);
      await expect(run(stages, () => Promise.reject(down), interruptible)).resolves.toEqual({
        error: down,
      });
    });

    it('when the result cannot be looked at', async () => {
      const door = new Door();
      const hostile = new Proxy(
        {},
        {
          get: (_target, key) => (key === 'then' ? undefined : fail()),
          getPrototypeOf: fail,
          has: fail,
        },
      );
      const result = await run([door], async () => ({ hostile }), interruptible);
      expect((result as { hostile: unknown }).hostile === hostile).toBe(true);
      const itself = await run([door], () => Promise.resolve(hostile), interruptible);
      expect(itself === hostile).toBe(true);
      expect(door).toMatchObject({ entered: 2, left: 2 });
    });
  });
});
