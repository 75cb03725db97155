import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RedisServer } from '../../support/redis-servers.js';

const PAGE = new URL('../../../../docs/redis.md', import.meta.url);

/** A server whose user may do what docs/redis.md says, and nothing else. */
export function startRedis(): Promise<RedisServer> {
  const page = readFileSync(fileURLToPath(PAGE), 'utf8');
  const [, user] = /^user (.*)$/m.exec(page)!;
  return RedisServer.start('--user', ...user!.split(' '));
}
