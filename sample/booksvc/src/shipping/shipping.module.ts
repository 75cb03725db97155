import { type DynamicModule, Module } from '@nestjs/common';
import { UpstreamModule } from '../http/upstream.module.js';
import { ShippingController } from './shipping.controller.js';
import { ShippingService } from './shipping.service.js';

@Module({})
export class ShippingModule {
  static register(baseURL: string): DynamicModule {
    return {
      module: ShippingModule,
      imports: [
        UpstreamModule.forFeature({ service: 'shippingsvc', goods: 'The shipping rates' }, baseURL),
      ],
      controllers: [ShippingController],
      providers: [ShippingService],
    };
  }
}
