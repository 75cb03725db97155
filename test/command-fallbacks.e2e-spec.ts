import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import {
  type CallContext,
  type Command,
  type FallbackContext,
  type FallbackHandler,
  constant,
  staleIfError,
  fallbackValue,
} from '../src/index.js';
import { closeAll, of } from './support/boot.js';
import {
  bootService,
  cached,
  commandOf,
  down,
  making,
  problemsOf,
  wrong,
} from './support/commands.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('a fallback that is', () => {
  it('a function gets a context and the arguments', async () => {
    const { service, clock } = await bootService();
    const error = new Error('down');
    const given: unknown[][] = [];
    const command = service.command('search', {
      run: async (_context, _words: string, _page: number): Promise<string> => {
        throw error;
      },
      fallback: (...all: [FallbackContext, string, number]) => {
        given.push(all);
        return 'from the shelf';
      },
      retry: { maxRetries: 1, backoff: constant('1s') },
    });
    const result = command.execute('sea', 2);
    await clock.advance(1_000);
    await expect(result).resolves.toBe('from the shelf');
    const context = { name: 'search', error, rejected: false, attempts: 2 };
    expect(given).toEqual([[context, 'sea', 2]]);
    expect((given[0]![0] as FallbackContext).error).toBe(error);
  });

  it('a value answers with that object', async () => {
    const { service } = await bootService();
    const shelf = { books: [] };
    const command = commandOf(service, { fallback: fallbackValue(shelf) });
    expect(await command.execute(down)).toBe(shelf);
    expect(await command.execute(down)).toBe(shelf);
  });

  it('a class that Nest injects', async () => {
    @Injectable()
    class Archive {
      readonly books = new Map([['sea', 'Moby Dick']]);
    }
    @Injectable()
    class FromArchive implements FallbackHandler<readonly [string], string | undefined> {
      constructor(@Inject(Archive) private readonly archive: Archive) {}
      handle({ name }: FallbackContext, words: string): string {
        return `${name}: ${this.archive.books.get(words)}`;
      }
    }
    const { service } = await bootService({}, { providers: [Archive, FromArchive] });
    const search = service.command('search', {
      run: (_context: CallContext, _words: string): Promise<string> => down(),
      fallback: FromArchive,
    });
    await expect(search.execute('sea')).resolves.toBe('search: Moby Dick');
  });

  it('a list answers by the nearest error class', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {
      fallback: [
        { on: [Error], handler: fallbackValue('an error') },
        { on: [RangeError], handler: () => 'out of range' },
        { handler: fallbackValue('anything else') },
      ],
    });
    const failing = (error: unknown): Promise<unknown> =>
      command.execute(() => Promise.reject(error));
    await expect(failing(new RangeError())).resolves.toBe('out of range');
    await expect(failing(new EvalError())).resolves.toBe('an error');
    await expect(failing('text')).resolves.toBe('anything else');
  });

  it('one with options answers the errors that these select', async () => {
    const { service } = await bootService();
    class Known extends NotFoundException {}
    const command = commandOf(service, {
      fallback: { handler: () => 'none', on: [NotFoundException], skip: [Known] },
    });
    const failing = (error: unknown): Promise<unknown> =>
      command.execute(() => Promise.reject(error));
    await expect(failing(new NotFoundException())).resolves.toBe('none');
    await expect(failing(new Known())).rejects.toThrow(Known);
    await expect(failing(new Error('down'))).rejects.toThrow('down'); // on narrows
  });

  it('a limited one answers so many calls at a time; one beyond keeps its error', async () => {
    const { service, events } = await bootService();
    const answers = [deferred<string>(), deferred<string>()];
    const error = new Error('third');
    let asked = 0;
    const command = commandOf(service, {
      fallback: { handler: () => answers[asked++]!.promise, maxConcurrent: 2 },
    });
    expect(command.snapshot().maxConcurrentFallbacks).toBe(2);
    const one = command.execute(down);
    const two = command.execute(down);
    const three = outcome(command.execute(() => Promise.reject(error)));
    expect((await three).error).toBe(error);
    answers[0]!.resolve('one');
    await expect(one).resolves.toBe('one');
    answers[1]!.reject(new Error('no book either'));
    await expect(two).rejects.toThrow('no book either');
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'books', policy: 'fallback', code: 'FALLBACK_FULL' },
    ]);
    answers.push(deferred());
    const four = command.execute(down);
    await settle();
    answers[2]!.resolve('four');
    await expect(four).resolves.toBe('four');
  });

  it('a stale result, kept by command and arguments', async () => {
    const { service } = await bootService({}, cached());
    let up = true;
    const command = (name: string): Command<[words: string], string> =>
      service.command(name, {
        run: async (_context, words: string) => (up ? `${name}: ${words}` : down()),
        fallback: staleIfError({ ttl: '10m' }),
      });
    const [books, films] = [command('books'), command('films')];
    await books.execute('sea');
    await films.execute('sea');
    await settle();
    up = false;
    await expect(books.execute('sea')).resolves.toBe('books: sea');
    await expect(films.execute('sea')).resolves.toBe('films: sea');
    await expect(books.execute('land')).rejects.toThrow('down');
  });

  it.each([
    ['alone', 'none', 'handler'],
    ['in a list', [{ handler: 'none' }], 'handler[0].handler'],
    ['in options', { handler: 'none' }, 'handler'],
  ])('a method name is refused, %s', async (_, fallback, path) => {
    const maker = making((service) =>
      service.command('books', { run: down, fallback: wrong(fallback) }),
    );
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      `command 'books' fallback: ${path} is 'none'; use a function; a method name works only on decorated methods`,
    ]);
  });

  it('a class that is not a provider is refused', async () => {
    class Unprovided {
      handle(): void {}
    }
    const maker = making((service) =>
      service.command('books', { run: down, fallback: Unprovided as never }),
    );
    await expect(problemsOf({ providers: [maker] })).resolves.toEqual([
      expect.stringMatching(
        /^command 'books' fallback: handler is .*Unprovided; use a class that a/,
      ),
    ]);
  });
});
