import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { CircuitBreaker, Fallback, Retry, Timeout } from 'nest-resilience';
import { firstValueFrom } from 'rxjs';

interface Quote {
  readonly price: number;
}

@Injectable()
export class ShippingClient {
  constructor(@Inject('SHIPPING') private readonly client: ClientProxy) {}

  @Fallback('flatRate')
  @Retry({ maxRetries: 2 })
  @CircuitBreaker('shippingsvc')
  @Timeout('1s')
  async quote(weight: number): Promise<Quote> {
    return firstValueFrom(this.client.send<Quote>('shipping.quote', weight));
  }

  flatRate(): Quote {
    return { price: 5 };
  }
}
