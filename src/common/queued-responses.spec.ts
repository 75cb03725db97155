import { EventEmitter } from 'node:events';
import { isCutOff, whenCutOff } from './queued-responses.js';

/** A connection, and a response that waits for its turn on it. */
function queued() {
  const connection = Object.assign(new EventEmitter(), { destroyed: false });
  const waiting = () =>
    Object.assign(new EventEmitter(), { socket: null, req: { socket: connection } });
  const close = (): void => {
    connection.destroyed = true;
    connection.emit('close');
  };
  return { connection, waiting, close };
}

describe('a response that waits for its turn', () => {
  it('is cut off when its connection closes', () => {
    const { waiting, close } = queued();
    const heard = jest.fn();
    const response = waiting();
    whenCutOff(response, heard);
    expect(isCutOff(response)).toBe(false);
    close();
    expect(isCutOff(response)).toBe(true);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('shares one listener on its connection, and is forgotten when it is complete', () => {
    const { connection, waiting, close } = queued();
    const heard: number[] = [];
    const responses = [1, 2, 3].map((n) => {
      const response = waiting();
      whenCutOff(response, () => {
        heard.push(n);
        throw new Error('a bug');
      });
      return response;
    });
    expect(connection.listenerCount('close')).toBe(1);
    responses[0]!.emit('close');
    close();
    expect(heard).toEqual([2, 3]);
  });

  it.each([
    ['has its socket', { socket: { destroyed: true }, req: { socket: { destroyed: true } } }],
    ['is made up by a test', {}],
    ['has a request without a connection', { socket: null, req: {} }],
    ['is missing', undefined],
  ])('is no other: one that %s', (_, properties) => {
    const response = properties && Object.assign(new EventEmitter(), properties);
    expect(isCutOff(response)).toBe(false);
    whenCutOff(response as EventEmitter, () => {});
    expect(response?.listenerCount('close') ?? 0).toBe(0);
  });
});
