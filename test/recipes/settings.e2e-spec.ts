import { boot, closeAll } from '../support/boot.js';
import { answerFetch } from '../support/fetches.js';

const VARIABLE = 'RESILIENCE__STORAGE_CLIENT__GET_BOOKS__RETRY__MAX_RETRIES';

describe('the recipe for ConfigService', () => {
  beforeEach(() => (process.env[VARIABLE] = '7'));

  afterEach(async () => {
    delete process.env[VARIABLE];
    jest.restoreAllMocks();
    await closeAll();
  });

  it('puts its settings over the decorators, and the environment over all', async () => {
    const { AppModule, StorageClient } = await import('./config-service.js');
    const { app, service } = await boot({ resilience: false, imports: [AppModule] });
    const { policies } = service.describe(StorageClient, 'getBooks');
    expect(Object.assign({}, ...policies.map(({ options }) => options))).toMatchObject({
      maxRetries: 7,
      attempt: '500ms',
    });
    answerFetch(() => Response.json(['One']));
    expect(await app.get(StorageClient, { strict: false }).getBooks()).toEqual(['One']);
  });
});
