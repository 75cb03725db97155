import { WebSocketGateway } from '@nestjs/websockets';
import { Timeout } from '../../src/index.js';
import { closeAll, serve } from '../support/boot.js';

afterEach(closeAll);

@WebSocketGateway()
class Gateway {
  @Timeout('1s')
  afterInit(): Promise<never> {
    return new Promise(() => {});
  }
}

describe('a hook of a gateway', () => {
  it('causes one warning when it is rejected', async () => {
    const lines: unknown[] = [];
    const logger = { log() {}, error() {}, warn: (line: unknown) => void lines.push(line) };
    const { clock } = await serve('Express', { providers: [Gateway], resilience: { logger } });
    await clock.advance(1_000);
    expect(lines).toEqual([
      'Gateway.afterInit was rejected: Gateway.afterInit took longer than 1000 ms',
    ]);
  });
});
