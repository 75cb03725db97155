// A dependency that answers in time, in a process of its own: prints its port.
import { createServer } from 'node:http';

const DELAY = Number(process.argv[2] ?? 20);

const server = createServer((_request, response) => {
  setTimeout(() => response.end('{"title":"Dune"}'), DELAY);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
