import { Controller, Get, UseFilters } from '@nestjs/common';
import { Signal } from 'nest-resilience';
import { UpstreamErrorFilter } from '../http/upstream-error.filter.js';
import type { Rate } from './rate.js';
import { ShippingService } from './shipping.service.js';

@Controller('shipping')
@UseFilters(UpstreamErrorFilter)
export class ShippingController {
  constructor(private readonly shipping: ShippingService) {}

  @Get()
  rates(@Signal() signal: AbortSignal): Promise<Rate[]> {
    return this.shipping.rates(signal);
  }
}
