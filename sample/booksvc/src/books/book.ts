import { BadGatewayException } from '@nestjs/common';

export interface Book {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly desc: string;
}

/**
 * Checks what storagesvc sent before anybody relies on it or keeps it.
 *
 * @throws BadGatewayException, a failure of storagesvc to the policies
 */
export function parseBooks(data: unknown): Book[] {
  if (!Array.isArray(data)) {
    throw new BadGatewayException('storagesvc sent something that is no list of books');
  }
  return data.map(parseBook);
}

/** @throws BadGatewayException like {@link parseBooks} */
export function parseBook(data: unknown): Book {
  if (!isBook(data)) {
    throw new BadGatewayException('storagesvc sent something that is no book');
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
