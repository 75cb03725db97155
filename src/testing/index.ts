export { ManualClock } from './manual-clock.js';
export { MemoryStore, type StoreTrouble } from './memory/memory-store.js';
