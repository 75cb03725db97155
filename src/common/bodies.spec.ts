import { Readable } from 'node:stream';
import { discardBody } from './bodies.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('discardBody', () => {
  it('destroys a stream of Node, whose error nobody needs to handle', async () => {
    const stream = new Readable({
      read() {},
      destroy: (_, ended) => ended(new Error('the connection was reset')),
    });
    discardBody(stream);
    await settle();
    expect(stream.destroyed).toBe(true);
    expect(stream.errored).toMatchObject({ message: 'the connection was reset' });
  });

  it('cancels a stream of the web, even one of another make that refuses', async () => {
    const cancel = jest.fn().mockRejectedValue(new Error('read by somebody'));
    discardBody({ getReader() {}, cancel });
    discardBody(new ReadableStream({ cancel }));
    await settle();
    expect(cancel).toHaveBeenCalledTimes(2);
  });

  it('leaves a stream to its reader', async () => {
    const cancel = jest.fn();
    const stream = new ReadableStream({ cancel });
    stream.getReader();
    discardBody(stream);
    await settle();
    expect(cancel).not.toHaveBeenCalled();
  });

  it.each([undefined, null, 'text', {}, { destroy: true }])('ignores %j', (body) => {
    expect(() => discardBody(body)).not.toThrow();
  });
});
