import { BadGatewayException } from '@nestjs/common';

export interface Book {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly desc: string;
}

/**
 * Checks an answer of storagesvc before it is used or kept.
 *
 * @throws BadGatewayException, a failure of storagesvc to the policies
 */
export function parseBooks(data: unknown): Book[] {
  if (!Array.isArray(data)) {
    throw new BadGatewayException('storagesvc did not send a list of books');
  }
  return data.map(parseBook);
}

/** @throws BadGatewayException like {@link parseBooks} */
export function parseBook(data: unknown): Book {
  if (!isBook(data)) {
    throw new BadGatewayException('storagesvc did not send a book');
  }
  const { id, title, author, desc } = data;
  return { id, title, author, desc };
}

function isBook(data: unknown): data is Book {
  return (
    typeof data === 'object' &&
    data !== null &&
    'id' in data &&
    typeof data.id === 'number' &&
    ['title', 'author', 'desc'].every(
      (key) => typeof (data as Record<string, unknown>)[key] === 'string',
    )
  );
}
