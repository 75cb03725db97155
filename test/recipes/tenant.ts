import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Bulkhead, CircuitBreaker, Fallback, Timeout, staleIfError } from 'nest-resilience';

interface TenantRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface Order {
  readonly id: string;
}

function tenantOf(this: OrdersClient): string {
  return this.tenant;
}

@Injectable({ scope: Scope.REQUEST })
export class OrdersClient {
  readonly tenant: string;

  constructor(@Inject(REQUEST) request: TenantRequest) {
    this.tenant = request.headers['x-tenant'] ?? 'nobody';
  }

  // Each request has an instance of its own: the key identifies the owner of a stale answer.
  @Fallback(staleIfError({ ttl: '10m', key: tenantOf }))
  @CircuitBreaker({ name: 'orders', key: tenantOf, maxKeys: 5_000 })
  @Bulkhead({ name: 'orders', key: tenantOf, maxConcurrent: 10 })
  @Timeout('2s')
  async orders(): Promise<Order[]> {
    const response = await fetch(`https://orders.internal/${this.tenant}`);
    if (!response.ok) throw Object.assign(new Error('no orders'), { status: response.status });
    return (await response.json()) as Order[];
  }
}
