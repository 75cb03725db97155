export { ManualClock } from './manual-clock.js';
export { MemoryStore, type StoreTrouble } from './memory/memory-store.js';
export type { StoreContractOptions } from './contract/space.js';
export { type StoreContractCase, storeContract } from './contract/store-contract.js';
