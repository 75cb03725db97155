/** A view of a part without the methods that calls use: its numbers, and `snapshot()` to keep them. */
export function viewOf<Snapshot extends object>(part: {
  snapshot(): Snapshot;
}): Snapshot & { snapshot(): Snapshot } {
  const view = { snapshot: () => part.snapshot() };
  Object.defineProperty(view, 'snapshot', { enumerable: false }); // so that JSON and spreading give the numbers only
  for (const field of Object.keys(part.snapshot()) as (keyof Snapshot)[]) {
    Object.defineProperty(view, field, { enumerable: true, get: () => part.snapshot()[field] });
  }
  return view as Snapshot & { snapshot(): Snapshot };
}
