import { once } from 'node:events';
import { connect } from 'node:net';

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');

/**
 * Connections that send the same request over and over, each one after the other. They cost less than the server, so that
 * the server is what limits: all answers have the same length, so that they need no parsing.
 */
export class Client {
  #connections = [];
  #length = 0;
  #answered = 0;
  #end = 0;
  #waiting = 0;
  #done = () => {};

  static async open(url, connections) {
    const client = new Client();
    for (let i = 0; i < connections; i++) client.#connections.push(await client.#connect(url));
    return client;
  }

  /** Sends requests for `ms` milliseconds. @returns how many were answered, in how many seconds */
  async load(ms) {
    const startedAt = performance.now();
    this.#answered = 0;
    this.#end = startedAt + ms;
    this.#waiting = this.#connections.length;
    const done = new Promise((resolve) => (this.#done = resolve));
    for (const socket of this.#connections) socket.write(REQUEST);
    await done;
    return { count: this.#answered, seconds: (performance.now() - startedAt) / 1_000 };
  }

  close() {
    for (const socket of this.#connections) socket.destroy();
  }

  async #connect(url) {
    const { hostname, port } = new URL(url);
    const buffer = Buffer.alloc(4_096);
    let received = 0;
    const callback = (size) => {
      this.#length ||= size;
      if (received === 0 && buffer.toString('latin1', 9, 12) !== '200')
        throw new Error(`answered ${buffer.toString('latin1', 0, size)}`);
      received += size;
      if (received < this.#length) return true;
      if (received > this.#length) throw new Error('answers differ in length');
      received = 0;
      this.#answer(socket);
      return true;
    };
    const onread = { buffer, callback };
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
    await once(socket, 'connect');
    return socket;
  }

  #answer(socket) {
    this.#answered += 1;
    if (performance.now() < this.#end) socket.write(REQUEST);
    else if (--this.#waiting === 0) this.#done();
  }
}
