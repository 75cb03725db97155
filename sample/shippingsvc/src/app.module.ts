import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { shippingsvcConfig } from './config.js';
import { ShippingController } from './shipping.controller.js';

@Module({
  imports: [ConfigModule.forRoot({ ignoreEnvFile: true, load: [shippingsvcConfig] })],
  controllers: [ShippingController],
})
export class AppModule {}
