// A client in its own process: reads the stream of process.argv[2], and reports how many events it has received.
import { get } from 'node:http';

let events = 0;
get(process.argv[2], (response) => {
  response.on('data', (chunk) => {
    for (let at = chunk.indexOf('data: '); at >= 0; at = chunk.indexOf('data: ', at + 1))
      events += 1;
    process.send(events);
  });
});
