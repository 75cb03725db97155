import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { CircuitBreaker, Timeout } from 'nest-resilience';
import { DelayWhenRejected } from 'nest-resilience/bullmq';

@Injectable()
export class Mailer {
  @CircuitBreaker({ name: 'mail', consecutiveFailures: 3, openFor: '30s' })
  @Timeout('5s')
  async send(to: string): Promise<void> {
    const response = await fetch('https://mail.internal/send', { method: 'POST', body: to });
    if (!response.ok) throw Object.assign(new Error('not sent'), { status: response.status });
  }
}

@Processor('mails')
export class MailsProcessor extends WorkerHost {
  constructor(private readonly mailer: Mailer) {
    super();
  }

  @DelayWhenRejected()
  async process(job: Job<{ to: string }>): Promise<void> {
    await this.mailer.send(job.data.to);
  }
}
