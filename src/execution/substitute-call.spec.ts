import { callAsSubstitute, takeSubstituteCall } from './substitute-call.js';

/** Tells whether each call of it was the announced one. */
class Shelf {
  readonly seen: [string, boolean][] = [];

  books(..._args: unknown[]): unknown {
    this.seen.push(['books', takeSubstituteCall(this, 'books')]);
    return 'books';
  }

  spare(): void {
    this.seen.push(['spare', takeSubstituteCall(this, 'spare')]);
  }
}

let shelf: Shelf;
beforeEach(() => {
  shelf = new Shelf();
});

describe('a call of a method as a fallback', () => {
  it('gets its arguments, and gives its answer', () => {
    const books = jest.spyOn(shelf, 'books');
    expect(callAsSubstitute(shelf, 'books', [1, 2])).toBe('books');
    expect(books.mock.calls).toEqual([[1, 2]]);
  });

  it('is known as such, once', () => {
    callAsSubstitute(shelf, 'books', []);
    shelf.books();
    expect(shelf.seen).toEqual([
      ['books', true],
      ['books', false],
    ]);
  });

  it('is known although another method or another instance is called before', () => {
    const other = new Shelf();
    const self = {
      seen: shelf.seen,
      books() {
        other.books();
        shelf.spare.call(this as never);
        shelf.books.call(this as never);
        shelf.books.call(this as never);
      },
    };
    callAsSubstitute(self, 'books', []);
    expect(other.seen).toEqual([['books', false]]);
    expect(shelf.seen).toEqual([
      ['spare', false],
      ['books', true],
      ['books', false],
    ]);
  });

  it('is announced no longer when it has ended without being seen, by an error too', () => {
    const unseen = {
      books: () => undefined,
      spare: () => {
        throw new Error('down');
      },
    };
    callAsSubstitute(unseen, 'books', []);
    expect(takeSubstituteCall(unseen, 'books')).toBe(false);
    expect(() => callAsSubstitute(unseen, 'spare', [])).toThrow('down');
    expect(takeSubstituteCall(unseen, 'spare')).toBe(false);
  });

  it('inside another one leaves that one announced', () => {
    const outer = {
      books: () => [callAsSubstitute(shelf, 'spare', []), takeSubstituteCall(outer, 'books')],
    };
    expect(callAsSubstitute(outer, 'books', [])).toEqual([undefined, true]);
    expect(shelf.seen).toEqual([['spare', true]]);
  });
});
