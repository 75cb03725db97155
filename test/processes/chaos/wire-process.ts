// The wires between the instances and Redis, in a process of their own, so that they are never late.
import type { WireOrder } from './wires.js';
import { Wire } from './wire.js';

const target = Number(process.argv[2]);
const wires: Wire[] = [];

process.on('message', (order: WireOrder) => {
  if (order.type === 'disturb') return wires[order.wire]!.disturb(order.how);
  const wire = new Wire(target);
  wires.push(wire);
  wire.listen((port) => process.send!({ port }));
});
process.on('disconnect', () => process.exit());
