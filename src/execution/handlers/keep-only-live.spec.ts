import { EMPTY, Observable, Subject, catchError, of as just, tap, throwError } from 'rxjs';
import { tellNotLive } from '../../pipeline/liveness.js';
import { keepOnlyLive } from './keep-only-live.js';

/** The answers that a storing interceptor has seen, and the one that the caller got. */
interface Seen {
  readonly stored: unknown[];
  readonly got: unknown[];
}

/** Answers through an interceptor that stores what it sees. */
function through(answer: Observable<unknown>, seen: Seen) {
  const { stored, got } = seen;
  return keepOnlyLive({ handle: () => answer }, ({ handle }) =>
    handle().pipe(
      tap({
        next: (value) => stored.push(value),
        error: (error: Error) => stored.push(`${error.name}: ${error.message}`),
        complete: () => stored.push('complete'),
      }),
    ),
  ).subscribe({
    next: (value) => got.push(value),
    error: (error: unknown) => got.push({ error }),
    complete: () => got.push('complete'),
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const PASSED = 'NotLive: the answer is not live: it bypasses this interceptor';

let seen: Seen;
beforeEach(() => {
  seen = { stored: [], got: [] };
});

describe('an interceptor that stores answers', () => {
  it('sees live ones, which go on to the caller', async () => {
    through(just(1, 2), seen);
    await turn();
    expect(seen).toEqual({ stored: [1, 2, 'complete'], got: [1, 2, 'complete'] });
  });

  it('sees the errors of live ones', async () => {
    const error = new Error('down');
    through(
      throwError(() => error),
      seen,
    );
    await turn();
    expect(seen).toEqual({ stored: ['Error: down'], got: [{ error }] });
  });

  it('gets an error in place of an answer that is not live, and the caller the answer', async () => {
    const answer = new Observable((subscriber) => {
      tellNotLive('fallback');
      subscriber.next(1);
      subscriber.next(2);
      subscriber.complete();
    });
    through(answer, seen);
    await turn();
    expect(seen).toEqual({ stored: [PASSED], got: [1, 2, 'complete'] });
  });

  it('sees nothing from the first item on that is not live, and the caller sees an error of it', async () => {
    const answer = new Observable((subscriber) => {
      subscriber.next(1);
      tellNotLive('stale', 5);
      subscriber.next(2);
      subscriber.error('midway');
    });
    through(answer, seen);
    await turn();
    expect(seen).toEqual({ stored: [1, PASSED], got: [1, 2, { error: 'midway' }] });
  });

  it('may make an answer of its own out of that error, which the caller does not get', async () => {
    const source = new Subject<number>();
    const got: unknown[] = [];
    const answer = new Observable((subscriber) => {
      tellNotLive('fallback');
      return source.subscribe(subscriber);
    });
    keepOnlyLive({ handle: () => answer }, ({ handle }) =>
      handle().pipe(catchError(() => EMPTY)),
    ).subscribe({ next: (value) => got.push(value), complete: () => got.push('complete') });
    await turn();
    source.next(1);
    source.next(2);
    source.complete();
    expect(got).toEqual([1, 2, 'complete']);
  });

  it('may answer by itself, or with a promise', async () => {
    const got: unknown[] = [];
    const handle = jest.fn();
    const intercept = async () => just('stored');
    keepOnlyLive({ handle }, intercept).subscribe((value) => got.push(value));
    await turn();
    expect(got).toEqual(['stored']);
    expect(handle).not.toHaveBeenCalled();
  });

  it('may fail: the caller gets its error', async () => {
    const got: unknown[] = [];
    const intercept = () => Promise.reject<Observable<unknown>>(new Error('no store'));
    keepOnlyLive({ handle: () => just(1) }, intercept).subscribe({
      error: ({ message }: Error) => got.push(message),
    });
    await turn();
    expect(got).toEqual(['no store']);
  });
});

describe('the handler of an answer that passes by an interceptor', () => {
  it('goes on until the caller leaves', async () => {
    const source = new Subject<number>();
    const answer = new Observable((subscriber) => {
      tellNotLive('fallback');
      return source.subscribe(subscriber);
    });
    const subscription = through(answer, seen);
    await turn();
    source.next(1);
    source.next(2);
    expect(seen.got).toEqual([1, 2]);
    expect(source.observed).toBe(true);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('ends when an interceptor leaves a live answer', async () => {
    const source = new Subject<number>();
    const got: unknown[] = [];
    keepOnlyLive(
      { handle: () => source },
      ({ handle }) =>
        new Observable((subscriber) => {
          const inside = handle().subscribe(() => {
            inside.unsubscribe();
            subscriber.next('enough');
          });
        }),
    ).subscribe((value) => got.push(value));
    await turn();
    source.next(1);
    expect(got).toEqual(['enough']);
    expect(source.observed).toBe(false);
  });
});
