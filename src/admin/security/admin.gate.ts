import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { type CanActivate, type ExecutionContext, Inject } from '@nestjs/common';
import { printable } from '../../common/printable.js';
import { adminLogger } from '../admin-logger.js';
import { AdminError } from '../admin-error.js';
import type { AdminSettings } from '../options.js';
import { ADMIN_SETTINGS } from '../tokens.js';
import { isAllowedHost, isOwnOrigin } from './hosts.js';

/** For all answers, refusals included. The answers are data: nothing may run, load or frame them. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  Vary: 'Origin, Sec-Fetch-Site',
};

interface Request {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** Runs before the guards of the application: refuses requests that pages of other sites make on behalf of a visitor. */
export class AdminGate implements CanActivate {
  private warned = false;

  constructor(@Inject(ADMIN_SETTINGS) private readonly settings: AdminSettings) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const response = http.getResponse<ServerResponse & { readonly raw?: ServerResponse }>();
    const raw = response.raw ?? response;
    for (const [name, value] of Object.entries(HEADERS)) raw.setHeader(name, value);
    this.check(http.getRequest<Request>());
    return true;
  }

  private check({ method, headers }: Request): void {
    const { allowedHosts } = this.settings;
    const host = headers.host ?? (headers[':authority'] as string | undefined);
    if (!isAllowedHost(host, allowedHosts)) {
      this.warn(host);
      throw new AdminError(
        403,
        'HOST_NOT_ALLOWED',
        'the server may not be addressed by this name; see allowedHosts',
      );
    }
    const site = headers['sec-fetch-site'];
    // Following a link from somewhere else is fine; that page cannot read the answer.
    const navigates = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
    const foreign = site !== undefined && site !== 'same-origin' && site !== 'none' && !navigates;
    if (foreign || !isOwnOrigin({ host, origin: headers.origin }, allowedHosts)) {
      throw new AdminError(403, 'CROSS_ORIGIN', 'pages of other sites may not use this');
    }
  }

  private warn(host: string | undefined): void {
    if (this.warned) return;
    this.warned = true;
    const name = host === undefined ? 'no name' : `"${printable(host)}"`;
    adminLogger().warn(
      `refused a request that was addressed to ${name}; if that is a name of this server, add it to allowedHosts`,
    );
  }
}
