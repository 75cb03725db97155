import { ResilienceConfigurationError } from '../common/errors.js';
import { type RedisStoreOptions, readRedisStoreOptions } from './options.js';

describe('the options of redisStore()', () => {
  function problemsOf(options: unknown): readonly string[] {
    try {
      readRedisStoreOptions(options as RedisStoreOptions);
    } catch (error) {
      expect(error).toBeInstanceOf(ResilienceConfigurationError);
      return (error as ResilienceConfigurationError).problems;
    }
    return [];
  }

  const client = { duplicate() {}, subscribe() {}, sendCommand() {} };

  it('have no prefix that UTF-8 cannot express: two of them would be the same', () => {
    expect(problemsOf({ url: 'redis://localhost', prefix: 'books\ud800:' })).toEqual([
      "redisStore(): prefix is 'books\\ud800:'; use a non-empty string without half a surrogate pair",
    ]);
  });

  it('are a client or a URL, and a prefix', () => {
    expect(readRedisStoreOptions({ client })).toEqual({
      client,
      url: undefined,
      prefix: 'resilience:',
    });
    const url = 'rediss://:secret@redis.example.com:6380/1';
    expect(readRedisStoreOptions({ url, prefix: 'books:' })).toEqual({
      client: undefined,
      url,
      prefix: 'books:',
    });
  });

  it('are reported all at once when they are wrong', () => {
    expect(problemsOf({ client, url: 'redis://localhost', prefix: '{books}:', urls: [] })).toEqual([
      'redisStore(): both client and url are given; give only one of them',
      "redisStore(): prefix is '{books}:'; braces would move the keys of one name to different nodes of a cluster",
      'redisStore(): urls is not an option; the options are client, url, prefix',
    ]);
  });

  it('must say where the Redis is', () => {
    expect(problemsOf({})).toEqual([
      'redisStore(): neither client nor url is given; give one of them',
    ]);
    expect(problemsOf(undefined)).toEqual([
      'redisStore(): the options are undefined; use an object with client or url',
    ]);
  });

  it.each([[{}], ['redis://localhost'], [null], [{ ...client, subscribe: undefined }]])(
    'name a wrong client: %p',
    (wrong) => {
      expect(problemsOf({ client: wrong })).toEqual([
        expect.stringMatching(/^redisStore\(\): client is .+; use a client of redis .+$/),
      ]);
    },
  );

  it('do not show a URL, which may hold a password', () => {
    expect(problemsOf({ url: 'http://:secret@localhost' })).toEqual([
      'redisStore(): url starts with neither redis:// nor rediss://',
    ]);
    expect(problemsOf({ url: 42 })).toHaveLength(1);
  });
});
