import { Catch, Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AxiosError } from 'axios';
import { RETRY_AFTER_SECONDS, UpstreamErrorFilter } from '../http/upstream-error.filter.js';

/** What clients of booksvc see of the errors of shippingsvc. */
@Catch(AxiosError)
export class ShippingErrorFilter extends UpstreamErrorFilter {
  constructor(
    adapterHost: HttpAdapterHost,
    @Inject(RETRY_AFTER_SECONDS) retryAfterSeconds: number,
  ) {
    super(adapterHost, retryAfterSeconds, { service: 'shippingsvc', goods: 'The shipping rates' });
  }
}
