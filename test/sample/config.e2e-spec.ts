import { readConfig as readBooksvc } from '../../sample/booksvc/src/config.js';
import { ConfigurationError } from '../../sample/common/src/env.js';
import { readConfig as readShippingsvc } from '../../sample/shippingsvc/src/config.js';
import { readConfig as readStoragesvc } from '../../sample/storagesvc/src/config.js';

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('the settings of the sample', () => {
  it('are those of the issue by default', () => {
    expect(readBooksvc({})).toMatchObject({
      port: 8081,
      storageUrl: 'http://127.0.0.1:8082',
      shippingUrl: 'http://127.0.0.1:8083',
      outgoingSockets: 64,
      redisUrl: undefined,
      protection: 'on',
      policies: {
        maxRetries: 7,
        initialDelay: 500,
        multiplier: 1.5,
        maxDelay: 60_000,
        maxConcurrent: 20,
        maxQueue: 100,
        maxWait: 250,
      },
    });
    expect(readStoragesvc({})).toMatchObject({ port: 8082 });
    expect(readShippingsvc({})).toMatchObject({ port: 8083 });
  });

  it('come from the environment', () => {
    const { policies } = readBooksvc({ TOTAL_TIMEOUT: '1.5m', BREAKER_OPEN_FOR: '250ms' });
    expect(policies).toMatchObject({ totalTimeout: 90_000, openFor: 250 });
  });

  it('treat an empty variable as unset', () => {
    expect(readBooksvc({ REDIS_URL: '', BOOKSVC_PORT: ' ' })).toMatchObject({
      port: 8081,
      redisUrl: undefined,
    });
  });

  it('are refused with every problem at once', () => {
    const problems = problemsOf(() =>
      readBooksvc({
        BOOKSVC_PORT: '0',
        STORAGE_URL: 'ftp://books',
        SHIPPING_URL: 'rates',
        OUTGOING_SOCKETS: '0',
        REDIS_URL: 'not a url',
        MAX_RETRIES: '-1',
        RETRY_MULTIPLIER: 'x',
        BREAKER_OPEN_FOR: '5 parsecs',
        TOTAL_TIMEOUT: '1s',
        ATTEMPT_TIMEOUT: '1s',
        RETRY_INITIAL_DELAY: '2m',
        BULKHEAD_MAX_CONCURRENT: '0',
        BULKHEAD_MAX_QUEUE: '1.5',
        BULKHEAD_MAX_WAIT: 'long',
        PROTECTION: 'maybe',
      }),
    );
    const names = [
      'BOOKSVC_PORT',
      'STORAGE_URL',
      'SHIPPING_URL',
      'OUTGOING_SOCKETS',
      'REDIS_URL',
      'MAX_RETRIES',
      'RETRY_MULTIPLIER',
      'BREAKER_OPEN_FOR',
      'ATTEMPT_TIMEOUT',
      'RETRY_INITIAL_DELAY',
      'BULKHEAD_MAX_CONCURRENT',
      'BULKHEAD_MAX_QUEUE',
      'BULKHEAD_MAX_WAIT',
      'PROTECTION',
    ];
    for (const name of names) {
      expect(problems).toContainEqual(expect.stringContaining(name));
    }
    expect(problems).toHaveLength(names.length);
  });

  it('do not reveal a password', () => {
    const problems = problemsOf(() => readStoragesvc({ DATABASE_URL: 'mysql://me:secret@db/x' }));
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('secret');
  });
});
