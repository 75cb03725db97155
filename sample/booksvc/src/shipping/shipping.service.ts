import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, Signal, Timeout } from 'nest-resilience';
import { firstValueFrom } from 'rxjs';
import { parseRates, type Rate } from './rate.js';

/** Calls shippingsvc, and never storagesvc: it has to work whatever happens to the books. */
@Injectable()
export class ShippingService {
  constructor(private readonly http: HttpService) {}

  @CircuitBreaker('shippingsvc')
  @Timeout({ config: 'shippingsvc' })
  @Bulkhead({ name: 'shippingsvc' })
  async rates(@Signal() signal?: AbortSignal): Promise<Rate[]> {
    const { data } = await firstValueFrom(
      this.http.get<unknown>('/rates', signal === undefined ? {} : { signal }),
    );
    return parseRates(data);
  }
}
