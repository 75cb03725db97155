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
import { type AnyResponse, takeOver } from '../common/event-stream/response.js';
import { EventStream } from './event-stream.js';
import type { HystrixStreamSettings } from './options.js';

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
