import { means, segmentsOf, variableForm } from './variable-names.js';

describe('the usual form of a name in a variable', () => {
  it.each([
    ['*', 'ALL'],
    ['StorageClient', 'STORAGE_CLIENT'],
    ['StorageClient.getBooks', 'STORAGE_CLIENT__GET_BOOKS'],
    ['HTTPClient', 'HTTP_CLIENT'],
    ['S3Client', 'S3_CLIENT'],
    ['OAuth2Client.getJWT', 'O_AUTH2_CLIENT__GET_JWT'],
    ['find-books', 'FIND_BOOKS'],
    ['books:find', 'BOOKS_FIND'],
    ['my__client', 'MY_CLIENT'],
    ['_private$', 'PRIVATE'],
    ['prisma.user.findMany', 'PRISMA__USER__FIND_MANY'],
    ['maxRetries', 'MAX_RETRIES'],
    ['Äpfel', 'ÄPFEL'],
    ['größe', 'GRÖSSE'],
    ['cafe\u0301', 'CAFÉ'],
  ])('of %s is %s, which means it', (name, form) => {
    expect(variableForm(name)).toBe(form);
    expect(means(segmentsOf(form), name)).toBe(true);
  });
});

describe('a target of a variable', () => {
  it.each([
    ['STORAGE_CLIENT_GET', 'StorageClient.get'],
    ['STORAGE__CLIENT_GET', 'StorageClient.get'],
    ['STORAGE_CLIENT__GET', 'Storage.clientGet'],
    ['STORAGE_CLIENT', 'StorageClient.get'],
    ['STORAGE_CLIENT__GET__ALL', 'StorageClient.get'],
    ['ALL__GET', '*'],
    ['A', ''],
    ['A', '...'],
    ['A', '$'],
  ])('%s is not %s', (form, name) => {
    expect(means(segmentsOf(form), name)).toBe(false);
  });

  it('may have more underscores than the name has dots', () => {
    expect(means(segmentsOf('STORAGE__CLIENT__GET'), 'StorageClient.get')).toBe(true);
  });

  it('has no empty segments', () => {
    expect(segmentsOf('____PROTO____A___B__')).toEqual(['PROTO', 'A', 'B']);
    expect(segmentsOf('_A_')).toEqual(['_A_']);
  });
});
