import { createReadStream } from 'node:fs';
import { StreamableFile } from '@nestjs/common';
import { of as just } from 'rxjs';
import { TestCall } from '../../../test/support/test-call.js';
import { settle } from '../../../test/support/wait.js';
import { discardAnswer, openerFor } from './answer-streams.js';
import { firstOf } from './streams.js';

describe.each(['http', 'graphql'])('an answer over %s that is a generator', (transport) => {
  it('does not begin when its call is interrupted after it was given', async () => {
    let begun = false;
    async function* items(): AsyncGenerator<string> {
      begun = true;
      yield 'first';
    }
    const call = new TestCall();
    void firstOf(just(items()), call, openerFor(transport));
    call.abort(new Error('gone'));
    await settle();
    expect(begun).toBe(false);
  });
});

describe('an answer that is a web stream', () => {
  it('is cancelled when its call is interrupted after it was given', async () => {
    const cancel = jest.fn();
    const call = new TestCall();
    void firstOf(just(new ReadableStream({ cancel })), call, openerFor('http'));
    call.abort(new Error('gone'));
    await settle();
    expect(cancel).toHaveBeenCalledTimes(1);
  });
});

describe('an answer that will not be read', () => {
  it('is ended, also a file that cannot be opened', async () => {
    const file = new StreamableFile(createReadStream('/nowhere'));
    discardAnswer(file);
    await settle();
    expect(file.getStream().destroyed).toBe(true);
  });

  it('may be anything', () => {
    const hostile = new StreamableFile(new Uint8Array());
    hostile.getStream = () => {
      throw new Error('hostile');
    };
    const locked = new ReadableStream();
    locked.getReader();
    for (const answer of [hostile, locked, new Response(null), new Proxy({}, {}), null, 'text'])
      expect(() => discardAnswer(answer)).not.toThrow();
  });
});

describe('an answer that is not a stream', () => {
  const locked = new ReadableStream();
  locked.getReader();

  it.each([
    ['a web stream that is being read', locked],
    ['a Response whose body is being read', { [Symbol.toStringTag]: 'Response', body: locked }],
    ['a Response without a body', new Response(null)],
    ['a proxy', new Proxy(new ReadableStream(), {})],
    [
      'hostile',
      {
        get [Symbol.toStringTag]() {
          throw new Error('no');
        },
      },
    ],
  ])('is left as it is: %s', (_, answer) => {
    expect(openerFor('http')!(answer, new TestCall())).toBe(answer);
  });
});
