import { HttpService } from '@nestjs/axios';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { ResilienceHttpModule } from '../src/axios/index.js';
import { CircuitBreakerRegistry } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';

afterEach(closeAll);

@Injectable()
class Books {
  constructor(readonly http: HttpService) {}
}

describe('ResilienceHttpModule', () => {
  it('can be imported without options, like HttpModule', async () => {
    @Module({ imports: [ResilienceHttpModule], providers: [Books] })
    class BooksModule {}
    const { app } = await boot({ imports: [BooksModule] });
    const adapter = async (config: object) =>
      ({ status: 200, statusText: '', data: 'ok', headers: {}, config }) as never;
    const answer = app.get(Books).http.get<string>('http://books.test/', { adapter });
    expect((await firstValueFrom(answer)).data).toBe('ok');
    expect(app.get(CircuitBreakerRegistry).has('http[books.test]')).toBe(true);
  });

  it.each([
    ['without options', ResilienceHttpModule],
    ['by register()', ResilienceHttpModule.register()],
    ['by registerAsync()', ResilienceHttpModule.registerAsync({ useFactory: () => ({}) })],
  ])('imported %s needs ResilienceModule, and says so', async (_, imported) => {
    await expect(Test.createTestingModule({ imports: [imported] }).compile()).rejects.toThrow(
      'ResilienceHttpModule: its policies are those of ResilienceModule; import ResilienceModule.forRoot() too',
    );
  });
});
