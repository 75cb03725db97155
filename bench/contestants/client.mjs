/** What a call of the benchmark does, protected or not: an async method with nothing in it. */
export class BookClient {
  books = [{ id: 1, title: 'Effective Java', author: 'Joshua Bloch' }];
  failing = false;

  async getBooks() {
    if (this.failing) throw new Error('storagesvc is down');
    return this.books;
  }
}

/** Lets calls fail until the circuit is open, as it would come to that in life. */
export async function openCircuit(client, call) {
  client.failing = true;
  for (let calls = 0; calls < 40; calls++) await call().catch(() => {});
  client.failing = false;
}
