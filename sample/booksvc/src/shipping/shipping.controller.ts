import { Controller, Get, UseFilters } from '@nestjs/common';
import { Signal } from 'nest-resilience';
import type { Rate } from './rate.js';
import { ShippingErrorFilter } from './shipping-error.filter.js';
import { ShippingService } from './shipping.service.js';

@Controller('shipping')
@UseFilters(ShippingErrorFilter)
export class ShippingController {
  constructor(private readonly shipping: ShippingService) {}

  @Get()
  rates(@Signal() signal: AbortSignal): Promise<Rate[]> {
    return this.shipping.rates(signal);
  }
}
