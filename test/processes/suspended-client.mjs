// The client of suspended.mjs: calls under load, through a breaker that opens at the first failure.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreakerRegistry,
  ResilienceEvents,
  ResilienceModule,
  ResilienceService,
} from '../../dist/esm/index.js';

const [url, maxCallDuration] = process.argv.slice(2);
class AppModule {}
const app = await NestFactory.createApplicationContext(
  { module: AppModule, imports: [ResilienceModule.forRoot()] },
  { logger: false },
);
const changes = [];
app.get(ResilienceEvents, { strict: false }).subscribe((event) => {
  if (event.type === 'state-change') {
    changes.push(
      `${event.from} > ${event.to}: ${event.reason}, after ${Math.round(performance.now())} ms`,
    );
  }
});
const command = app.get(ResilienceService, { strict: false }).command('books', {
  circuitBreaker: { name: 'api', consecutiveFailures: 1, maxCallDuration: Number(maxCallDuration) },
  run: async () => {
    const response = await fetch(url);
    return response.json();
  },
});

let calls = 0;
let failures = 0;
async function loop() {
  for (;;) {
    await command.execute().catch(async (error) => {
      if (failures++ < 5) console.error(String(error));
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    calls += 1;
  }
}
for (let i = 0; i < 50; i++) void loop();
// When the process resumes, timers run first, and some of them check the breaker.
const breaker = () => app.get(CircuitBreakerRegistry, { strict: false }).get('api');
setInterval(() => breaker().state, 10);
setInterval(() => void command.execute().catch(() => (failures += 1)), 7);

setTimeout(() => process.send('ready'), 500);
process.on('message', () => process.send({ calls, failures, changes, ...breaker().counts }));
