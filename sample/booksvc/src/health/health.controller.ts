import { Controller, Get } from '@nestjs/common';
import { CircuitBreakerRegistry } from 'nest-resilience';

@Controller()
export class HealthController {
  constructor(private readonly breakers: CircuitBreakerRegistry) {}

  /** Answers 200 while the process is healthy, even with open breakers: it still has answers. */
  @Get('health')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('breakers')
  snapshots(): unknown[] {
    return [...this.breakers].map((breaker) => breaker.snapshot());
  }
}
