import fc from 'fast-check';
import { type Linked, LinkedList } from './linked-list.js';

class Item implements Linked<Item> {
  previous: Item | undefined = undefined;
  next: Item | undefined = undefined;
}

function itemsOf(list: LinkedList<Item>): Item[] {
  const items: Item[] = [];
  for (let item = list.first; item !== undefined; item = item.next) items.push(item);
  return items;
}

describe('a linked list', () => {
  it('holds what an array holds after the same additions and removals, in the same order', () => {
    const program = fc.array(fc.oneof(fc.constant('add' as const), fc.nat()), { maxLength: 60 });
    fc.assert(
      fc.property(program, (steps) => {
        const list = new LinkedList<Item>();
        const model: Item[] = [];
        for (const step of steps) {
          if (step === 'add') {
            const item = new Item();
            list.add(item);
            model.push(item);
          } else if (model.length > 0) {
            const [item] = model.splice(step % model.length, 1);
            list.remove(item!);
          }
          expect(itemsOf(list)).toEqual(model);
          expect(list.first?.previous).toBe(model.at(-1));
        }
      }),
    );
  });

  it('accepts a removed item again, which has no neighbours in between', () => {
    const list = new LinkedList<Item>();
    const [first, second] = [new Item(), new Item()];
    list.add(first);
    list.add(second);
    list.remove(first);
    expect([first.previous, first.next]).toEqual([undefined, undefined]);
    list.add(first);
    expect(itemsOf(list)[0]).toBe(second);
    expect(itemsOf(list)[1]).toBe(first);
  });
});
