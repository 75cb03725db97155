// A server for bench/http.mjs: node server.mjs <express|fastify> <variant>. Tells its parent its URL, and answers each
// message with the CPU time it has used so far, in microseconds.
import { create } from './app.mjs';

const [platform, variant] = process.argv.slice(2);
const app = await create(platform, variant);
await app.listen(0, '127.0.0.1');
app.getHttpServer().keepAliveTimeout = 0; // connections wait while other servers have their turns
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: user + system });
});
process.on('disconnect', () => process.exit());
process.send({ url: await app.getUrl() });
