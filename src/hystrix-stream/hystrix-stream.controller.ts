import type { ServerResponse } from 'node:http';
import {
  Controller,
  Get,
  Inject,
  Req,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { EventStream } from './event-stream.js';
import type { HystrixStreamSettings } from './options.js';

/** A response of Express, which is Node's own, or Fastify's reply, which has it in `raw`. */
type AnyResponse =
  | (ServerResponse & { readonly raw?: undefined })
  | {
      readonly raw: ServerResponse;
      hijack(): void;
      getHeaders(): ReturnType<ServerResponse['getHeaders']>;
    };

/** A class for each module made, since a route and its guards belong to the class. */
export function controllerFor({ path, guards }: HystrixStreamSettings): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class HystrixStreamController {
    constructor(@Inject(EventStream) private readonly stream: EventStream) {}

    @Get()
    read(@Req() { method }: { readonly method: string }, @Res() response: AnyResponse): void {
      this.stream.serve(method, takeOver(response));
    }
  }
  return HystrixStreamController;
}

/** Node's response, which Fastify then leaves alone; with the headers that others have set by now, such as CORS. */
function takeOver(response: AnyResponse): ServerResponse {
  if (response.raw === undefined) return response;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (value !== undefined) response.raw.setHeader(name, value);
  }
  return response.raw;
}
