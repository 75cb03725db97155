import { EnvReader } from '#common/env.js';

export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
}

export function readConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const read = new EnvReader(env);
  return read.done({
    host: read.text('HOST', '127.0.0.1'),
    port: read.port('DATABASE_PORT', 5433),
  });
}
