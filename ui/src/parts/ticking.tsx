import { useComputed } from '@preact/signals';
import { now } from '../store.js';

/** A text that ticks, without what is around it being drawn again. */
export function Ticking({ text }: { readonly text: (now: number) => string }) {
  return <>{useComputed(() => text(now.value))}</>;
}
