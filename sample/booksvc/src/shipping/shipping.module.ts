import { Module } from '@nestjs/common';
import { UpstreamModule } from '../http/upstream.module.js';
import { ShippingController } from './shipping.controller.js';
import { ShippingService } from './shipping.service.js';

@Module({
  imports: [
    UpstreamModule.register({
      service: 'shippingsvc',
      goods: 'The shipping rates',
      url: ({ shippingUrl }) => shippingUrl,
    }),
  ],
  controllers: [ShippingController],
  providers: [ShippingService],
})
export class ShippingModule {}
