import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { Admin } from '../../src/admin/admin.js';
import { type IncomingMessage, request } from 'node:http';
import { until } from './wait.js';

/** Internals of the stream that tests read. */
export interface Stock {
  readonly clients: Map<ServerResponse, { readonly ready: boolean }>;
  readonly timer: NodeJS.Timeout | undefined;
}

export const adminOf = (app: INestApplication): Admin => app.get(Admin, { strict: false });

export const takeStock = (app: INestApplication): Stock => adminOf(app).stream as unknown as Stock;

/** A message of the stream. */
export interface Message {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: any;
}

/** A client of the stream. */
export class Client {
  private text = '';

  constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    response.on('error', () => {});
  }

  get messages(): Message[] {
    return this.text
      .split('\n\n')
      .slice(0, -1)
      .filter((message) => message.includes('data: '))
      .map((message) => ({
        event: /^event: (.*)$/m.exec(message)![1]!,
        id: /^id: (.*)$/m.exec(message)?.[1],
        data: JSON.parse(/^data: (.*)$/m.exec(message)![1]!),
      }));
  }

  /** Waits for the first message for which `found` is true. */
  async message(found: (message: Message) => boolean): Promise<Message> {
    await until(() => this.messages.some(found), 4_000);
    return this.messages.find(found)!;
  }

  get lastId(): string | undefined {
    return this.messages.filter(({ id }) => id !== undefined).at(-1)?.id;
  }

  leave(): void {
    this.response.destroy();
  }
}

export async function read(
  url: string,
  lastEventId?: string,
  others: OutgoingHttpHeaders = {},
): Promise<Client> {
  const headers = {
    ...others,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${url}/resilience/stream`, { agent: false, headers })
      .once('response', resolve)
      .once('error', reject)
      .end();
  });
  return new Client(response);
}
