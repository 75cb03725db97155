import type { VNode } from 'preact';

/** Draws an item once: the same object gives the same node, which Preact skips. Most of 500 rows have not changed. */
export function drawnOnce<Item extends object>(draw: (item: Item) => VNode): (item: Item) => VNode {
  const nodes = new WeakMap<Item, VNode>();
  return (item) => {
    let node = nodes.get(item);
    if (node === undefined) nodes.set(item, (node = draw(item)));
    return node;
  };
}
