import type { DynamicModule } from '@nestjs/common';
import { ResilienceAdminModule } from 'nest-resilience/admin';
import { TokenGuard } from './token.guard.js';

/**
 * `GET /resilience`. With `ADMIN_TOKEN` in the environment, clients that send it can read and change; without it, all clients can read and none can change anything.
 */
export function managementModule(token = process.env['ADMIN_TOKEN']): DynamicModule {
  return ResilienceAdminModule.forRoot({
    ...(token !== undefined && token !== '' && { guards: [new TokenGuard(token)] }),
    // The names that booksvc has in docker-compose.yaml and on a developer's machine.
    allowedHosts: ['booksvc'],
  });
}
