import { type Channel, channel } from 'node:diagnostics_channel';
import { resilienceEventKinds } from './event-kinds.js';
import type { ResilienceEventKind } from './events.js';

/** The channels `nest-resilience:<kind>` of the process, which all applications in it share. */
export const eventChannels = Object.fromEntries(
  resilienceEventKinds.map((kind) => [kind, channel(`nest-resilience:${kind}`)]),
) as unknown as Readonly<Record<ResilienceEventKind, Channel>>;
