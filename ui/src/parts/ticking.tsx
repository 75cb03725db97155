import { useComputed } from '@preact/signals';
import { now } from '../store.js';

/** A text that ticks without its surroundings being redrawn. */
export function Ticking({ text }: { readonly text: (now: number) => string }) {
  return <>{useComputed(() => text(now.value))}</>;
}
