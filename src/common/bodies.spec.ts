import { Readable } from 'node:stream';
import { discardBody, holdsReadStream } from './bodies.js';

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

describe('holdsReadStream', () => {
  const read = (): Readable => {
    const stream = Readable.from(['x']);
    stream.read();
    return stream;
  };
  const request = (): Readable => Object.assign(read(), { httpVersion: '1.1' });

  it.each([
    ['a stream', read(), true],
    ['one that has not been read', Readable.from(['x']), false],
    ['the input of a command', { input: { Body: read() } }, true],
    ['a request that is sent on', { body: request() }, true],
    ['a request as the surroundings of a call', { req: request(), user: { id: 1 } }, false],
    ['a request itself', request(), false],
    ['a list', [read()], false],
    ['bytes', new Uint8Array(8), false],
    ['too deep', { a: { b: { c: read() } } }, false],
  ])('of %s', (_, argument, holds) => {
    expect(holdsReadStream(argument)).toBe(holds);
  });

  it('calls no getter, and looks at few members of a large object', () => {
    const getter = jest.fn();
    const large = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`key${at}`, at]));
    const looked = jest.fn(Reflect.getOwnPropertyDescriptor);
    const argument = Object.defineProperty({}, 'a', { enumerable: true, get: getter });
    expect(holdsReadStream(argument)).toBe(false);
    expect(holdsReadStream(new Proxy(large, { getOwnPropertyDescriptor: looked }))).toBe(false);
    expect(getter).not.toHaveBeenCalled();
    expect(looked.mock.calls.length).toBeLessThan(1_100);
  });
});
