/** The work of each call of the benchmark, protected or not: an async method that returns a list at once. */
export class BookClient {
  books = [{ id: 1, title: 'Effective Java', author: 'Joshua Bloch' }];
  failing = false;

  async getBooks() {
    if (this.failing) throw new Error('storagesvc is down');
    return this.books;
  }
}

/** Makes calls fail until the circuit is open, as would happen in production. */
export async function openCircuit(client, call) {
  client.failing = true;
  for (let calls = 0; calls < 40; calls++) await call().catch(() => {});
  client.failing = false;
}
