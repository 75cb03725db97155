import { Instance } from '../../test/support/guarded-store.js';
import { ManualClock, MemoryStore } from '../testing/index.js';

describe('a place that becomes free', () => {
  it('is heard of by those who wait for it, as long as they listen', () => {
    const clock = new ManualClock();
    const { store } = new Instance(new MemoryStore({ clock }), clock);
    const heard: string[] = [];
    const ends = ['a', 'a', 'b'].map((name, n) => store.onPlace(name, () => heard.push(name + n)));
    store.placeFreed('a');
    store.placeFreed('c');
    expect(heard).toEqual(['a0', 'a1']);
    ends[0]!();
    ends[0]!();
    store.placeFreed('a');
    ends[1]!();
    store.onPlace('a', () => heard.push('again'));
    ends[1]!();
    store.placeFreed('a');
    store.placeFreed('b');
    expect(heard).toEqual(['a0', 'a1', 'a1', 'again', 'b2']);
  });
});
