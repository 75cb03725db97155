import { readInstances } from './replies.js';

describe('the reply with the living instances', () => {
  it('may have entries of others, which are left out', () => {
    const told = ['5', '{"id":"a"}', '6', '{"id":', '7', '', '8', '{"id":"b","version":"2"}'];
    expect(readInstances(told)).toEqual([
      { id: 'a', silentMs: 5 },
      { id: 'b', version: '2', silentMs: 8 },
    ]);
  });
});
