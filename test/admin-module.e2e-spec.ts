import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceEvents, ResilienceModule, ResilienceService } from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { ResilienceAdminModule } from '../src/admin/index.js';
import { KeyGuard, NAME, administered, key, open, send } from './support/admin.js';
import { appModule, closeAll, serve } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(() => jest.restoreAllMocks());
afterEach(closeAll);

describe('ResilienceAdminModule', () => {
  const start = administered('Express');

  it('says once that it is read-only without guards', async () => {
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
    await start();
    const lines = log.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('read-only'))).toEqual([
      'read-only: changes are refused; they need guards',
    ]);
  });

  it('logs each change on one line', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { post } = await start({ guards: [KeyGuard] });
    const path = `/breakers/${encodeURIComponent('storage/svc')}/disable`;
    await post(path, { by: 'anna', reason: 'two\nlines' }, key);
    const lines = warn.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('anna'))).toEqual([
      'anna: disable "storage/svc": two\\nlines',
    ]);
  });

  it('logs a refused host once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const { get } = await start();
    for (const host of ['books.internal', 'other.internal']) await get('', { host });
    const lines = warn.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('refused'))).toEqual([
      'refused a request that was addressed to "books.internal"; if that is a name of this server, add it to allowedHosts',
    ]);
  });

  it('answers as ever when the logger throws', async () => {
    const { get, post, registry } = await start({ guards: [KeyGuard] });
    for (const level of ['warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation(() => {
        throw new Error('disk full');
      });
    }
    const body = { by: 'anna', reason: 'migration' };
    expect((await post(`/breakers/${NAME}/force-open`, body, key)).status).toBe(200);
    expect(registry.get('storage/svc').override?.by).toBe('anna');
    expect((await get('', { ...key, host: 'evil.example' })).body.code).toBe('HOST_NOT_ALLOWED');
  });

  it('takes options from other providers', async () => {
    const module = ResilienceAdminModule.forRootAsync({
      path: 'ops/circuits',
      guards: [KeyGuard],
      useFactory: async () => ({ readOnly: true, identify: () => 'anna' }),
    });
    const { url } = await serve('Express', { imports: [module] });
    const { body } = await send(url, '/ops/circuits', { headers: key });
    expect(body).toMatchObject({ readOnly: true, needsBy: false });
    expect((await send(url, '/resilience')).status).toBe(404);
  });

  const startOf = async (...imports: object[]): Promise<unknown> => {
    const { AppModule } = appModule({ resilience: false, imports: imports as never });
    const options = { logger: false, abortOnError: false } as const;
    const { error, value } = await outcome(
      NestFactory.createApplicationContext(AppModule, options),
    );
    await value?.close();
    return error;
  };

  it.each<[string, () => object[], string]>([
    [
      'the library is missing',
      () => [ResilienceAdminModule.forRoot()],
      'ResilienceAdminModule: shows what ResilienceModule does; import ResilienceModule.forRoot() too',
    ],
    [
      'it is imported without forRoot()',
      () => [ResilienceModule.forRoot(), ResilienceAdminModule],
      'ResilienceAdminModule: imported without forRoot(), so it shows nothing; use ResilienceAdminModule.forRoot()',
    ],
    [
      'its factory gives something wrong',
      () => [
        ResilienceModule.forRoot(),
        ResilienceAdminModule.forRootAsync({ useFactory: () => ({ readOnly: false }) }),
      ],
      'ResilienceAdminModule.forRootAsync(): readOnly is false, but changes need a guard; give guards',
    ],
  ])('says that %s', async (_, imports, problem) => {
    expect(await startOf(...imports())).toMatchObject({ problems: [problem] });
  });

  it('keeps two applications apart', async () => {
    const [one, other] = [await start(), await start()];
    await open(one);
    expect((await one.get()).body.troubles).toHaveLength(1);
    expect((await other.get()).body.troubles).toHaveLength(0);
    expect((await one.get()).body.instance).not.toBe((await other.get()).body.instance);
  });

  it('releases its application when it closes', async () => {
    const { app, events } = await start();
    const { adminOf } = await import('./support/admin-stream.js');
    const inside = adminOf(app) as unknown as { timer: NodeJS.Timeout };
    expect(inside.timer.hasRef()).toBe(false);
    await app.close();
    expect((inside.timer as unknown as { _destroyed: boolean })._destroyed).toBe(true);
    expect(events).toEqual([]);
  });

  it('has no event made of a call that goes well, and records one that fails', async () => {
    const clock = new ManualClock();
    const app = await NestFactory.createApplicationContext(
      {
        module: class AppModule {},
        imports: [
          ResilienceModule.forRoot({ clock, logger: false }),
          ResilienceAdminModule.forRoot(),
        ],
      },
      { logger: false },
    );
    const { adminOf } = await import('./support/admin-stream.js');
    const command = app.get(ResilienceService).command<[boolean], string>('books', {
      run: async (_context, fails: boolean) => {
        if (fails) throw new Error('no');
        return 'books';
      },
    });
    expect(app.get(ResilienceEvents).active('call-end')).toBe(false);
    await command.execute(false);
    await expect(command.execute(true)).rejects.toThrow('no');
    const admin = adminOf(app as never);
    expect(admin.events(0).events).toMatchObject([
      { type: 'call-end', name: 'books', error: 'Error: no', details: { outcome: 'failure' } },
    ]);
    await admin.history.step();
    expect(admin.history.of('method', 'books')?.values).toMatchObject({
      requests: [0.4],
      errorRate: [0.5],
    });
    await app.close();
  });

  it('shows pipelines, commands and clients made after the start, once each', async () => {
    const { get, service } = await start();
    for (let time = 0; time < 3; time++) service.createFetch({ name: 'late' });
    service.command('later', { run: async () => 1, timeout: '1s' });
    const names = (await get('/pipelines?search=late')).body.items.map(
      ({ name }: { name: string }) => name,
    );
    expect(names.sort()).toEqual(['late', 'later']);
  });
});
