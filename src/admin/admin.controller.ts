import {
  All,
  Controller,
  Get,
  Inject,
  Post,
  Req,
  Res,
  type Type,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { type AnyResponse, takeOver } from '../common/event-stream/response.js';
import { Admin } from './admin.js';
import { AdminError } from './admin-error.js';
import { AdminExceptionFilter } from './admin-exception.filter.js';
import { send } from './answer.js';
import { type AnyRequest, bodyOf } from './changes/body.js';
import { actionOf, readChange } from './changes/change.js';
import type { AdminChanged } from './contract.js';
import { Documented, Tagged, Undocumented } from './openapi.js';
import { type AdminRoutes, type AdminSettings } from './options.js';
import { AdminGate } from './security/admin.gate.js';
import { ADMIN_SETTINGS } from './tokens.js';
import { integerOf, parametersOf, queryOf } from './views/query.js';

/** The parts of Express' and Fastify's request that are used. */
interface Request extends AnyRequest {
  readonly method: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string | undefined>>;
}

const PAGE = ['search', 'offset', 'limit'];

/**
 * Makes a class per module, since route and guards belong to the class. The routes take the request and the response as they are,
 * so that pipes and interceptors of the application change nothing.
 */
export function controllerFor({ path, guards }: AdminRoutes): Type {
  @Tagged()
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(AdminGate, ...guards)
  @UseFilters(AdminExceptionFilter)
  class ResilienceAdminController {
    constructor(
      @Inject(Admin) private readonly admin: Admin,
      @Inject(ADMIN_SETTINGS) private readonly settings: AdminSettings,
    ) {}

    @Documented({ summary: 'All that is in trouble, the worst first' })
    @Get()
    async overview(@Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.overview());
    }

    @Documented({ summary: 'Circuit breakers', query: [...PAGE, 'state', 'group', 'keys'] })
    @Get('breakers')
    async breakers(@Req() { url }: Request, @Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.breakers(queryOf(url)));
    }

    @Documented({ summary: 'A circuit breaker', path: ['name'] })
    @Get('breakers/:name')
    breaker(@Req() { params }: Request, @Res() response: AnyResponse): void {
      send(response, 200, this.admin.inspector.breaker(params.name!));
    }

    @Documented({ summary: 'Bulkheads', query: [...PAGE, 'group', 'keys'] })
    @Get('bulkheads')
    async bulkheads(@Req() { url }: Request, @Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.bulkheads(queryOf(url)));
    }

    @Documented({ summary: 'Rate limits', query: [...PAGE, 'group', 'keys'] })
    @Get('rate-limits')
    async rateLimits(@Req() { url }: Request, @Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.rateLimits(queryOf(url)));
    }

    @Documented({
      summary:
        'The instances that share a store, their shared breakers, and the changes of options for all',
    })
    @Get('fleet')
    async fleet(@Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.fleet());
    }

    @Documented({ summary: 'Commands', query: PAGE })
    @Get('commands')
    async commands(@Req() { url }: Request, @Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.commands(queryOf(url)));
    }

    @Documented({ summary: 'Pipelines, with their options and the origin of each', query: PAGE })
    @Get('pipelines')
    async pipelines(@Req() { url }: Request, @Res() response: AnyResponse): Promise<void> {
      send(response, 200, await this.admin.inspector.pipelines(queryOf(url)));
    }

    @Documented({ summary: 'The layers of the configuration' })
    @Get('configuration')
    configuration(@Res() response: AnyResponse): void {
      send(response, 200, this.admin.inspector.configuration());
    }

    @Documented({ summary: 'Events', query: ['since'] })
    @Get('events')
    events(@Req() { url }: Request, @Res() response: AnyResponse): void {
      const since = integerOf(parametersOf(url), 'since', 0, Number.MAX_SAFE_INTEGER) ?? 0;
      send(response, 200, this.admin.events(since));
    }

    @Documented({ summary: 'A snapshot, then the changes', type: 'text/event-stream' })
    @Get('stream')
    stream(@Req() { method, headers }: Request, @Res() response: AnyResponse): void {
      this.admin.stream.admit();
      const id = headers['last-event-id'];
      this.admin.stream.serve(method, takeOver(response), Array.isArray(id) ? id[0] : id);
    }

    @Documented({ summary: 'Changes a breaker', path: ['name', 'action'], change: true })
    @Post('breakers/:name/:action')
    async change(@Req() request: Request, @Res() response: AnyResponse): Promise<void> {
      const { name, action } = request.params;
      const { settings, admin } = this;
      if (settings.readOnly) throw new AdminError(403, 'READ_ONLY', 'nothing can be changed here');
      const body = await bodyOf(request);
      const by = await this.identify(request);
      admin.changes.make(name!, readChange(actionOf(action), body, by, admin.now()));
      send(response, 200, this.changed(name!));
    }

    // Other methods and paths: answered here, since frameworks repeat the path in their answer.
    @Undocumented()
    @All([':a', ':a/:b', ':a/:b/:c'])
    nothing(): void {
      throw new AdminError(404, 'NOT_FOUND', 'there is no such route');
    }

    private async identify(request: Request): Promise<string | undefined> {
      const { identify } = this.settings;
      if (identify === undefined) return undefined;
      const by: unknown = await identify(request as never);
      if (typeof by === 'string' && by !== '') return by;
      throw new AdminError(403, 'UNKNOWN_CALLER', 'the caller is unknown');
    }

    private changed(name: string): AdminChanged {
      const { admin } = this;
      try {
        return { ...admin.moment(), breaker: admin.inspector.viewOf(name) };
      } catch {
        return admin.moment(); // the name of many
      }
    }
  }
  return ResilienceAdminController;
}
