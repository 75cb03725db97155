import { Injectable } from '@nestjs/common';
import { Bulkhead, BulkheadRegistry, CircuitBreaker } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class Client {
  tenant = 'acme';
  gate = deferred();
  readonly ran: unknown[] = [];

  tenantKey(): string {
    return this.tenant;
  }

  @CircuitBreaker({ name: 'tenants', key: 'tenantKey', consecutiveFailures: 1 })
  async byMethod(fail = false): Promise<string> {
    if (fail) throw new Error('down');
    return this.tenant;
  }

  @CircuitBreaker({
    name: 'hosts',
    maxKeys: 2,
    consecutiveFailures: 1,
    key(this: Client, host: never) {
      return host;
    },
  })
  async get(host: unknown, fail = false): Promise<unknown> {
    this.ran.push(host);
    if (fail) throw new Error('down');
    return host;
  }

  @CircuitBreaker({
    name: 'broken',
    key: () => {
      throw new Error('no key today');
    },
  })
  async noKey(): Promise<void> {
    this.ran.push('noKey');
  }

  @Bulkhead({ name: 'queues', maxConcurrent: 1, maxKeys: 2, key: (host: string) => host })
  async hold(host: string): Promise<string> {
    await this.gate.promise;
    return host;
  }
}

const bad = (): unknown => expect.objectContaining({ name: 'TypeError' }) as unknown;

describe('keys', () => {
  it('may come from a method of the instance', async () => {
    const { app, registry } = await boot({ providers: [Client] });
    const client = app.get(Client);
    await outcome(client.byMethod(true));
    client.tenant = 'globex';
    await expect(client.byMethod()).resolves.toBe('globex');
    expect(registry.names().sort()).toEqual(['tenants[acme]', 'tenants[globex]']);
    expect(registry.get('tenants[acme]').state).toBe('open');
  });

  it('that are invalid fail only their call', async () => {
    const { app, registry } = await boot({ providers: [Client] });
    const client = app.get(Client);
    for (const key of [undefined, null, {}, Symbol('x'), () => 1, Promise.resolve('a')]) {
      const { error } = await outcome(client.get(key));
      expect(error).toEqual(bad());
      expect((error as Error).message).toContain('Client.get: the key is ');
    }
    await expect(client.noKey()).rejects.toThrow('no key today');
    expect(client.ran).toEqual([]);
    expect(registry.names()).toEqual([]);
    for (const key of [1n, 5]) await expect(client.get(key)).resolves.toBe(key);
    expect(registry.names()).toEqual(['hosts[1]', 'hosts[5]']);
  });

  it('without room run without a breaker, with one warning', async () => {
    const warnings: string[] = [];
    const logger = {
      log: () => {},
      error: () => {},
      warn: (message: string) => void warnings.push(message),
    };
    const { app, registry } = await boot({ providers: [Client], resilience: { logger } });
    const client = app.get(Client);
    for (const host of ['dead 1', 'dead 2', 'dead 3', 'dead 4']) {
      await outcome(client.get(host, true));
    }
    await expect(client.get('healthy')).resolves.toBe('healthy');
    await expect(client.get('dead 3')).resolves.toBe('dead 3');
    await expect(client.get('dead 1')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(registry.names()).toEqual(['hosts[dead 1]', 'hosts[dead 2]']);
    expect(warnings.filter((line) => line.includes('maxKeys'))).toHaveLength(1);
  });

  it('are found unchanged, and shown on one line', async () => {
    const lines: string[] = [];
    const write = (message: string): void => void lines.push(message);
    const logger = { log: write, error: write, warn: write };
    const { app, registry } = await boot({ providers: [Client], resilience: { logger } });
    const client = app.get(Client);
    const hostile = 'a\r\nERROR: forged\u001b[31m\u2028\u202e';
    const long = 'x'.repeat(10_000);
    for (const key of [hostile, long]) {
      await outcome(client.get(key, true));
      const breaker = registry.get(`hosts[${key}]`);
      expect(breaker.state).toBe('open');
      const { error } = await outcome(client.get(key));
      expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', policyName: `hosts[${key}]` });
      lines.push((error as Error).message);
    }
    expect(lines).toContain(
      'circuit "hosts[a\\r\\nERROR: forged\\u001b[31m\\u2028\\u202e]" is open',
    );
    for (const line of lines) {
      // eslint-disable-next-line no-control-regex -- what must not be in a log
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
      expect(line.length).toBeLessThan(500);
    }
  });

  it('work for bulkheads too', async () => {
    const { app } = await boot({ providers: [Client] });
    const client = app.get(Client);
    const bulkheads = app.get(BulkheadRegistry);
    const a = client.hold('a');
    const b = client.hold('b');
    await expect(client.hold('a')).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      policyName: 'queues[a]',
    });
    const further = [client.hold('c'), client.hold('c')]; // no room for its key: no limit
    await settle();
    expect(bulkheads.names()).toEqual(['queues[a]', 'queues[b]']);
    expect(bulkheads.get('queues[a]')).toMatchObject({ running: 1, rejected: 1 });
    client.gate.resolve();
    await expect(Promise.all([a, b, ...further])).resolves.toEqual(['a', 'b', 'c', 'c']);
    await expect(client.hold('d')).resolves.toBe('d');
    expect(bulkheads.names()).toHaveLength(2);
  });

  it('are refused at bootstrap if they are impossible', async () => {
    class Wrong {
      @CircuitBreaker({ key: 'nobody' })
      async a(): Promise<void> {}

      @Bulkhead({ key: 'constructor' })
      async b(): Promise<void> {}

      @CircuitBreaker({ key: 7 as never })
      async c(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [Wrong] });
    expect(problems).toHaveLength(3);
    for (const problem of problems) expect(problem).toContain('key is ');
  });
});
