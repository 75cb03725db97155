import { of as just } from 'rxjs';
import { bootService, commandOf, down } from './support/commands.js';
import { closeAll, of } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

/** A query as made by query builders: each `then()` sends it, and it is iterable too. */
function query() {
  const made = { sent: 0 };
  const thenable = {
    then(resolve: (rows: string[]) => void) {
      made.sent += 1;
      resolve(['books']);
    },
    async *[Symbol.asyncIterator]() {
      yield 'books';
    },
  };
  return { made, thenable: thenable as unknown as Promise<string[]> };
}

describe('a command', () => {
  it('awaits an iterable thenable once', async () => {
    const { service } = await bootService();
    const { made, thenable } = query();
    const command = commandOf(service, { timeout: '1s' });
    await expect(command.execute(() => thenable)).resolves.toEqual(['books']);
    expect(made.sent).toBe(1);
  });

  it('sends the query of a fallback once, executed or queued', async () => {
    const { service } = await bootService();
    const { made, thenable } = query();
    const command = commandOf(service, { fallback: () => thenable });
    await command.execute(down);
    expect(made.sent).toBe(1);
    await command.queue(down).result;
    expect(made.sent).toBe(2);
  });

  it('refuses a stream, also as a resolved value or an answer of its fallback', async () => {
    const { service, events } = await bootService();
    const command = commandOf(service, { fallback: () => Promise.resolve(just(1)) });
    for (const work of [() => just(1), () => Promise.resolve(just(1))]) {
      const { error } = await outcome(command.execute(work));
      expect(error).toMatchObject({ message: expect.stringMatching('returned a stream') });
    }
    const { error } = await outcome(command.execute(down));
    expect(error).toMatchObject({ message: expect.stringMatching('returned a stream') });
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure' }]);
  });
});
