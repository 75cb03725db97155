import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constant } from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { boot, closeAll } from './support/boot.js';

const again = { retry: { maxRetries: 2, backoff: constant(0) } };

/** Sends bodies, given as an argument, or in the input of a command. */
class Storage {
  readonly bodies: string[] = [];

  async put(body: AsyncIterable<Buffer | string>): Promise<void> {
    this.bodies.push((await buffer(body)).toString());
    throw new Error('busy');
  }

  async putObject(options: { body: AsyncIterable<Buffer | string> }): Promise<void> {
    return this.put(options.body);
  }

  async send(command: { input: { Body: AsyncIterable<Buffer | string> } }): Promise<void> {
    return this.put(command.input.Body);
  }

  async refuse(_body: unknown): Promise<void> {
    this.bodies.push('refused');
    throw new Error('busy');
  }
}

class Command {
  constructor(readonly input: { Body: AsyncIterable<Buffer | string> }) {}
}

const kinds = {
  'a stream of Node': (): Readable => Readable.from(['pic', 'ture']),
  'a stream of the web': (): ReadableStream => new Blob(['picture']).stream(),
};

afterEach(closeAll);

describe.each(Object.entries(kinds))('a call of a protected object with %s', (_title, make) => {
  it('is not made again once the stream has been read', async () => {
    const { service } = await boot({ resilience: { clock: systemClock } });
    const storage = new Storage();
    const p = service.protect(storage, { name: 'storage', '*': again });
    await expect(p.put(make())).rejects.toThrow('busy');
    await expect(p.putObject({ body: make() })).rejects.toThrow('busy');
    await expect(p.send(new Command({ Body: make() }))).rejects.toThrow('busy');
    expect(storage.bodies).toEqual(['picture', 'picture', 'picture']);
  });

  it('is made again as long as it has not', async () => {
    const { service } = await boot({ resilience: { clock: systemClock } });
    const storage = new Storage();
    const p = service.protect(storage, { name: 'storage', '*': again });
    await expect(p.refuse(make())).rejects.toThrow('busy');
    expect(storage.bodies).toEqual(['refused', 'refused', 'refused']);
  });
});
