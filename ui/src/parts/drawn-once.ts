import type { VNode } from 'preact';

/** Draws an item once: the same object is the same node, which Preact does not look at again. Most of 500 rows are as they were. */
export function drawnOnce<Item extends object>(draw: (item: Item) => VNode): (item: Item) => VNode {
  const nodes = new WeakMap<Item, VNode>();
  return (item) => {
    let node = nodes.get(item);
    if (node === undefined) nodes.set(item, (node = draw(item)));
    return node;
  };
}
