import { endsIdle, MessageReader, query, SYNC } from '../../sample/database/src/wire-protocol.js';

function startup(code: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(8, 0);
  bytes.writeInt32BE(code, 4);
  return bytes;
}

const SSL = startup(80_877_103);
const STARTUP = startup(196_608);

describe('MessageReader', () => {
  it('assembles messages from any pieces', () => {
    const reader = new MessageReader();
    const bytes = Buffer.concat([
      SSL,
      STARTUP,
      query('SELECT 1'),
      SYNC,
      Buffer.from('X\0\0\0\x04'),
    ]);

    const messages = [...bytes].flatMap((byte) => [...reader.read(Buffer.from([byte]))]);

    expect(messages.map(({ kind }) => kind)).toEqual([
      'ssl-request',
      'request',
      'request',
      'request',
      'terminate',
    ]);
    expect(messages[2]).toMatchObject({ bytes: query('SELECT 1'), complete: true });
  });

  it('treats Parse and Bind as part of the following message', () => {
    const reader = new MessageReader();
    const parse = Buffer.from('P\0\0\0\x08\0\0\0\0', 'latin1');

    const messages = [...reader.read(Buffer.concat([STARTUP, parse, SYNC]))];

    expect(messages.slice(1)).toMatchObject([{ complete: false }, { complete: true }]);
  });
});

describe('endsIdle', () => {
  it.each([
    ['I', true],
    ['T', false],
    ['E', false],
  ])('of a session in state %s is %s', (state, expected) => {
    expect(endsIdle(Buffer.from(`C\0\0\0\x04Z\0\0\0\x05${state}`, 'latin1'))).toBe(expected);
  });
});
