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

/** Express' response, which is Node's own, or Fastify's reply, which has Node's in `raw`. */
type AnyResponse =
  | (ServerResponse & { readonly raw?: undefined })
  | {
      readonly raw: ServerResponse;
      hijack(): void;
      getHeaders(): ReturnType<ServerResponse['getHeaders']>;
    };

/** Makes a class per module, since route and guards belong to the class. */
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

/** Takes Node's response from Fastify, with the headers that others have set so far, such as those for CORS. */
function takeOver(response: AnyResponse): ServerResponse {
  if (response.raw === undefined) return response;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (value !== undefined) response.raw.setHeader(name, value);
  }
  return response.raw;
}
