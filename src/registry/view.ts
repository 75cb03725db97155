const views = new WeakMap<object, object>();

/** The view of a part, always the same: its numbers, and `snapshot()` to keep them, without the methods that calls use. */
export function viewOf<Snapshot extends object>(part: {
  snapshot(): Snapshot;
}): Snapshot & { snapshot(): Snapshot } {
  let view = views.get(part);
  if (view === undefined) views.set(part, (view = makeView(part)));
  return view as Snapshot & { snapshot(): Snapshot };
}

function makeView<Snapshot extends object>(part: { snapshot(): Snapshot }): object {
  const view = { snapshot: () => part.snapshot() };
  Object.defineProperty(view, 'snapshot', { enumerable: false }); // so that JSON and spreading give the numbers only
  for (const field of Object.keys(part.snapshot()) as (keyof Snapshot)[]) {
    Object.defineProperty(view, field, { enumerable: true, get: () => part.snapshot()[field] });
  }
  return view;
}
