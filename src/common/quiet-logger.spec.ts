import type { LoggerService } from '@nestjs/common';
import { quietLogger } from './quiet-logger.js';

const loggerOf = (write: () => unknown): LoggerService => ({
  log: write,
  warn: write,
  error: write,
  debug: write,
});

describe('quietLogger', () => {
  it('passes messages on', () => {
    const write = jest.fn();
    const logger = quietLogger({ ...loggerOf(() => {}), warn: write });
    logger.warn('storagesvc is down');
    expect(write).toHaveBeenCalledWith('storagesvc is down');
  });

  it.each(['log', 'warn', 'error', 'debug'] as const)(
    'writes messages of the level %s at that level only',
    (level) => {
      const write = jest.fn();
      quietLogger({ ...loggerOf(() => {}), [level]: write })[level]('x');
      expect(write.mock.calls).toEqual([['x']]);
      const other = jest.fn();
      quietLogger({ ...loggerOf(other), [level]: write })[level]('y');
      expect(other).not.toHaveBeenCalled();
    },
  );

  it('writes nothing at a level that the logger does not have', () => {
    const { log, warn, error } = loggerOf(() => {});
    expect(quietLogger({ log, warn, error }).debug('x')).toBeUndefined();
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
    [
      'returns an unreadable value',
      () => ({
        get then(): never {
          throw new Error('do not look');
        },
      }),
    ],
  ])('has no effect when the logger %s', async (_how, write) => {
    const logger = quietLogger(loggerOf(write));
    for (const level of ['log', 'warn', 'error', 'debug'] as const) {
      expect(logger[level]('x')).toBeUndefined();
    }
    await new Promise((resolve) => setImmediate(resolve));
  });
});
