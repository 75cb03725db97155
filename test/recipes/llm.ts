import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, Retry, Signal, Timeout, exponential } from 'nest-resilience';
import OpenAI from 'openai';

@Injectable()
export class Assistant {
  // The policies retry: the SDK itself sends once.
  private readonly openai = new OpenAI({ maxRetries: 0 });

  @Retry({ maxRetries: 4, backoff: exponential({ initialDelay: '1s' }) })
  @CircuitBreaker('openai')
  @Timeout({ attempt: '20s', total: '2m' }) // until the first token
  @Bulkhead({ maxConcurrent: 8, maxQueue: 100, maxWait: '30s' })
  async *answer(prompt: string, @Signal() signal?: AbortSignal): AsyncGenerator<string> {
    const stream = await this.openai.chat.completions.create(
      { model: 'gpt-5', messages: [{ role: 'user', content: prompt }], stream: true },
      { signal },
    );
    for await (const { choices } of stream) {
      const text = choices[0]?.delta.content;
      if (text) yield text;
    }
  }
}
