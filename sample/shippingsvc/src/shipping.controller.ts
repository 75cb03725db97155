import { Controller, Get } from '@nestjs/common';

interface Rate {
  readonly service: string;
  readonly days: number;
  readonly cents: number;
}

const RATES: readonly Rate[] = [
  { service: 'standard', days: 4, cents: 299 },
  { service: 'express', days: 1, cents: 899 },
];

@Controller()
export class ShippingController {
  @Get('rates')
  rates(): readonly Rate[] {
    return RATES;
  }

  @Get('health')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }
}
