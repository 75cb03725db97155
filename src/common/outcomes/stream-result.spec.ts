import { StreamResult, isStreamResult, outcomeOfResult } from './stream-result.js';
import type * as StreamResults from './stream-result.js';

const answer = { status: 503 };

class Body extends StreamResult {
  override readonly whole = answer;
}

describe('a result that is a stream', () => {
  it('is known, whichever copy of the package has made it', () => {
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof StreamResults>('./stream-result.js');
      class ForeignBody extends copy.StreamResult {
        override readonly whole = answer;
      }
      expect(new ForeignBody()).not.toBeInstanceOf(StreamResult);
      expect(isStreamResult(new ForeignBody())).toBe(true);
      expect(outcomeOfResult(new ForeignBody(), (whole) => (whole === answer ? 'failure' : 'success'))).toBe('failure'); // prettier-ignore
    });
  });

  it('is judged by the answer that has it, and a mere stream is a success', () => {
    class Stream extends StreamResult {}
    const rule = (whole: unknown): 'failure' | 'success' =>
      whole === answer ? 'failure' : 'success';
    expect(outcomeOfResult(new Body(), rule)).toBe('failure');
    expect(outcomeOfResult(new Stream(), () => 'failure')).toBe('success');
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', {}],
    ['a proxy that has a function for every name', new Proxy({}, { get: () => () => {} })],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('do not look');
          },
        },
      ),
    ],
  ])('is not %s', (_, value) => {
    expect(isStreamResult(value)).toBe(false);
  });
});
