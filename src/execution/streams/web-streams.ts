/**
 * The items of a web stream. Its own iterator ends only after the item that it waits for, which may never come; this one
 * cancels the stream at once.
 */
export class WebItems implements AsyncIterableIterator<unknown, unknown> {
  private readonly reader: ReadableStreamDefaultReader<unknown>;

  constructor(stream: ReadableStream<unknown>) {
    this.reader = stream.getReader();
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.reader.read();
  }

  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.reader.cancel().catch(() => {}); // a stream that has failed cannot be cancelled
    return { value, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A web stream of items, each requested when there is room for it. */
export function streamOf(items: AsyncIterator<unknown, unknown, unknown>): ReadableStream<unknown> {
  return new ReadableStream<unknown>(
    {
      pull: async (controller) => {
        const { value, done } = await items.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await items.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Properties that the constructor of `Response` does not accept; from them Nest knows that `fetch()` has decoded the body. */
const ORIGINS = ['type', 'url', 'redirected'] as const;

/** A `Response` with another body. */
export function responseWith(body: ReadableStream<unknown>, original: Response): Response {
  const { status, statusText, headers } = original;
  const response = new Response(body as BodyInit, { status, statusText, headers });
  for (const key of ORIGINS) Object.defineProperty(response, key, { value: original[key] });
  return response;
}
