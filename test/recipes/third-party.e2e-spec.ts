import { createServer } from 'node:http';
import { CircuitOpenError } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { closeServers, listen } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { atOnce } from '../support/fetches.js';
import { Carts, CartsModule } from './third-party.js';

const VARIABLES = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
};

describe('the recipe for an SDK', () => {
  let booted: Booted;
  let asked = 0;
  let statuses: number[] = [];

  beforeAll(async () => {
    const server = createServer((_request, response) => {
      asked += 1;
      const status = statuses.shift() ?? 200;
      const error = { __type: status === 400 ? 'ThrottlingException' : 'InternalServerError' };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(status === 200 ? { Item: { id: { S: '1' } } } : error));
    });
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${await listen(server)}`;
    Object.assign(process.env, VARIABLES, { AWS_ENDPOINT_URL });
    booted = await boot({ resilience: { clock: systemClock, ...atOnce }, imports: [CartsModule] });
  });

  afterAll(async () => {
    for (const name of [...Object.keys(VARIABLES), 'AWS_ENDPOINT_URL']) delete process.env[name];
    await closeAll();
    await closeServers();
  });

  it('retries throttled and failed requests, by the policies only', async () => {
    statuses = [400];
    expect(await booted.app.get(Carts, { strict: false }).has('1')).toBe(true);
    expect(asked).toBe(2);
    expect(booted.registry.get('dynamo.send').counts).toMatchObject({ successes: 1, failures: 1 });
  });

  it('sends nothing while the circuit is open', async () => {
    asked = 0;
    booted.registry.get('dynamo.send').forceOpen();
    const carts = booted.app.get(Carts, { strict: false });
    await expect(carts.has('1')).rejects.toBeInstanceOf(CircuitOpenError);
    expect(asked).toBe(0);
  });
});
