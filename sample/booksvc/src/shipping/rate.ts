import { BadGatewayException } from '@nestjs/common';

/** The price of sending a parcel, and the number of days. */
export interface Rate {
  readonly service: string;
  readonly days: number;
  readonly cents: number;
}

/** @throws BadGatewayException, a failure of shippingsvc to the policies */
export function parseRates(data: unknown): Rate[] {
  if (!Array.isArray(data) || !data.every(isRate)) {
    throw new BadGatewayException('shippingsvc did not send a list of rates');
  }
  return data.map(({ service, days, cents }) => ({ service, days, cents }));
}

function isRate(data: unknown): data is Rate {
  return (
    typeof data === 'object' &&
    data !== null &&
    'service' in data &&
    typeof data.service === 'string' &&
    ['days', 'cents'].every((key) => typeof (data as Record<string, unknown>)[key] === 'number')
  );
}
