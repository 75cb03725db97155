import { EventEmitter } from 'node:events';
import type { OwnDriver } from './driver.js';
import { IoRedisDriver } from './ioredis.js';
import { NodeRedisDriver } from './node-redis.js';

/** A client of either package, as far as a driver looks at its connection. */
class Client extends EventEmitter {
  isReady = false;
  status = 'connecting';

  connect(): Promise<void> {
    return new Promise(() => {});
  }

  become(ready: boolean): void {
    this.isReady = ready;
    this.status = ready ? 'ready' : 'reconnecting';
    this.emit(ready ? 'ready' : 'reconnecting');
  }
}

const drivers: Record<string, (client: Client) => OwnDriver> = {
  'node-redis': (client) => new NodeRedisDriver(client as never, true),
  ioredis: (client) => new IoRedisDriver(client as never, true),
};

describe.each(Object.entries(drivers))(
  "a driver with a client of its own, of %s, that isn't connected",
  (_, make) => {
    it('tells the reason of this outage, not of one before', () => {
      const client = new Client();
      const driver = make(client);
      void driver.connect(() => {});
      const refused = new Error('refused');
      client.emit('error', refused);
      expect([driver.ready, driver.problem]).toEqual([false, refused]);
      client.become(true);
      expect([driver.ready, driver.problem]).toEqual([true, undefined]);
      client.become(false);
      expect([driver.ready, driver.problem]).toEqual([false, undefined]);
    });

    it('hears an error, another attempt and the connection as signs of life', () => {
      const client = new Client();
      const heard = jest.fn();
      void make(client).connect(heard);
      client.emit('error', new Error('refused'));
      client.become(false);
      client.become(true);
      expect(heard).toHaveBeenCalledTimes(3);
    });
  },
);
