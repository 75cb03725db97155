import { registerAs } from '@nestjs/config';
import { EnvReader } from '#common/env.js';

export interface ShippingsvcConfig {
  readonly host: string;
  readonly port: number;
}

export function readConfig(env: NodeJS.ProcessEnv): ShippingsvcConfig {
  const read = new EnvReader(env);
  return read.done({
    host: read.text('HOST', '127.0.0.1'),
    port: read.port('SHIPPINGSVC_PORT', 8083),
  });
}

export const shippingsvcConfig = registerAs('shippingsvc', () => readConfig(process.env));
