import {
  Controller,
  Get,
  Req,
  Res,
  type Type,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { type AnyResponse, takeOver } from '../../common/event-stream/response.js';
import { AdminExceptionFilter } from '../admin-exception.filter.js';
import { Undocumented } from '../openapi.js';
import type { AdminRoutes } from '../options.js';
import { AdminGate } from '../security/admin.gate.js';
import { pageFile, plain } from './page.js';

/** The page's own files, and connections to its server, are all that it may load. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Request {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/**
 * The page. Its files hold no data, so the guards of the module do not apply to them: a browser that opens an address
 * cannot send a token. The page asks for one, and sends it with each request for data.
 */
export function pageControllerFor({ path }: AdminRoutes): Type {
  @Controller({ path: `${path}/ui`, version: VERSION_NEUTRAL })
  @UseGuards(AdminGate)
  @UseFilters(AdminExceptionFilter)
  class ResilienceAdminPageController {
    // Fastify distinguishes `ui/` from `ui`. Nest removes one slash from the end of a path, so there are two.
    @Undocumented()
    @Get(['', '//'])
    async index(@Req() request: Request, @Res() response: AnyResponse): Promise<void> {
      // The page's links are relative to an address without a slash at its end.
      if (request.url.split('?')[0]!.endsWith('/')) return redirect(response, '../ui');
      await sendFile(request, response, 'index.html');
    }

    @Undocumented()
    @Get(':file')
    async file(@Req() request: Request, @Res() response: AnyResponse): Promise<void> {
      await sendFile(request, response, `ui/${request.params.file}`);
    }
  }
  return ResilienceAdminPageController;
}

async function sendFile(request: Request, response: AnyResponse, name: string): Promise<void> {
  const file = await pageFile(name);
  const raw = takeOver(response);
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = zipped ? file.gzipped : plain(file);
  raw.setHeader('Content-Type', file.type);
  raw.setHeader('Content-Security-Policy', POLICY);
  raw.setHeader(
    'Cache-Control',
    file.lasting ? 'private, max-age=31536000, immutable' : 'no-cache',
  );
  raw.setHeader('Vary', 'Accept-Encoding, Origin, Sec-Fetch-Site');
  if (zipped) raw.setHeader('Content-Encoding', 'gzip');
  raw.setHeader('Content-Length', body.length);
  raw.statusCode = 200;
  raw.end(body);
}

function redirect(response: AnyResponse, to: string): void {
  const raw = takeOver(response);
  raw.setHeader('Location', to);
  raw.statusCode = 302;
  raw.end();
}
