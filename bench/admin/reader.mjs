// Twenty clients in a process of their own, so that their work is not measured: they read the stream of process.argv[2]. The
// last one stops reading after a while.
import { get } from 'node:http';

const [url, clients] = process.argv.slice(2);
let bytes = 0;
let deltas = 0;
for (let client = 0; client < Number(clients); client++) {
  get(url, { agent: false }, (response) => {
    response.on('data', (chunk) => {
      bytes += chunk.length;
      if (client > 0) return;
      for (
        let at = chunk.indexOf('event: delta');
        at >= 0;
        at = chunk.indexOf('event: delta', at + 1)
      ) {
        deltas += 1;
      }
    });
    response.on('error', () => {});
    if (client === clients - 1) process.once('message', () => response.pause());
  });
}
setInterval(() => process.send({ bytes, deltas }), 200);
