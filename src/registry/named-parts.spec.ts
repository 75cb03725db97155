import { mixin } from '@nestjs/common';
import { Problems } from '../common/options-reader.js';
import { type Declaration, PartStore } from './named-parts.js';

class Books {}

function declaration(given: Partial<Declaration> = {}): Declaration {
  return {
    kind: 'circuitBreaker',
    name: 'api',
    declaredBy: 'Books.list',
    owner: Books,
    where: 'Books.list @CircuitBreaker',
    reference: false,
    options: { window: '10s' },
    settings: 'settings of Books.list',
    ...given,
  };
}

function declareAll(...declarations: Partial<Declaration>[]): {
  store: PartStore;
  problems: readonly string[];
} {
  const store = new PartStore();
  const problems = new Problems();
  for (const given of declarations) store.declare(declaration(given), problems);
  return { store, problems: problems.all };
}

const made = (store: PartStore, name = 'api'): unknown =>
  store.obtain('circuitBreaker', name, (settings) => ({ settings }));

describe('PartStore', () => {
  it('makes a part once, with the settings that it was declared with', () => {
    const { store } = declareAll({});
    const part = made(store);
    expect(part).toEqual({ settings: 'settings of Books.list' });
    expect(made(store)).toBe(part);
  });

  it('names a part after its method by default', () => {
    const { store } = declareAll({ name: undefined });
    expect(made(store, 'Books.list')).toEqual({ settings: 'settings of Books.list' });
  });

  it('does not make undeclared parts', () => {
    const { store } = declareAll({});
    expect(() => made(store, 'other')).toThrow('circuitBreaker "other" has not been declared');
    expect(() => store.obtain('bulkhead', 'api', () => ({}))).toThrow('has not been declared');
  });

  it('refuses the random name of a class of mixin(), except in the name of its own part', () => {
    const owner = mixin(class Mixed {});
    const unnamed = { name: undefined, owner, declaredBy: `${owner.name}.list` };
    expect(declareAll(unnamed).problems).toEqual([expect.stringContaining('mixin()')]);
    expect(declareAll({ ...unnamed, name: 'api' }, { ...unnamed, off: true }).problems).toEqual([]);
    expect(declareAll({ ...unnamed, owner: class extends owner {} }).problems).toEqual([]);
  });

  it.each([
    ['shared', [expect.stringContaining('"a[b]"')]],
    [{ quorum: 2 }, [expect.stringContaining('"a[b]"')]],
    ['local', []],
    [undefined, []],
  ])(
    'refuses a bracket in the name of a part that instances share: scope %j',
    (scope, expected) => {
      for (const kind of ['circuitBreaker', 'bulkhead', 'rateLimit']) {
        const named = { kind, name: 'a[b]', options: { scope } };
        expect(declareAll(named).problems).toEqual(expected);
        expect(declareAll({ ...named, name: undefined, declaredBy: 'a[b]' }).problems).toEqual(
          expected,
        );
        expect(declareAll({ ...named, off: true }).problems).toEqual([]);
        expect(declareAll({ ...named, name: 'a' }).problems).toEqual([]);
      }
    },
  );

  it('lets methods share a name with the same options', () => {
    const { problems } = declareAll(
      {},
      { declaredBy: 'Books.get', where: 'Books.get @CircuitBreaker', options: { window: '10s' } },
    );
    expect(problems).toEqual([]);
  });

  it('reports methods that share a name with other options, and lists the differences', () => {
    const { problems } = declareAll(
      { options: { window: '10s', failureRate: 0.5 } },
      {
        declaredBy: 'Books.get',
        where: 'Books.get @CircuitBreaker',
        options: { window: '20s', failureRate: 0.5, minimumCalls: 3 },
      },
    );
    expect(problems).toEqual([
      `Books.get @CircuitBreaker: "api" has other options at Books.list @CircuitBreaker: window is '10s' there and '20s' here, minimumCalls is undefined there and 3 here; use the same ones, or put them into forRoot({ configs })`,
    ]);
  });

  it('lets a method refer to a part that another defines, in either order', () => {
    const reference = {
      site: 'Books.get',
      reference: true,
      options: {},
      settings: 'settings of a reference',
    };
    for (const order of [
      [{}, reference],
      [reference, {}],
      [reference, {}, reference],
    ]) {
      const { store, problems } = declareAll(...order);
      expect(problems).toEqual([]);
      expect(made(store)).toEqual({ settings: 'settings of Books.list' });
    }
  });

  it('requires equal options of two definitions, even after a reference', () => {
    const { problems } = declareAll(
      { reference: true, options: {} },
      {},
      { options: { window: '20s' } },
    );
    expect(problems).toHaveLength(1);
  });

  it('makes a part without a definition with the settings of the reference', () => {
    const { store } = declareAll({ reference: true, settings: 'defaults' });
    expect(made(store)).toEqual({ settings: 'defaults' });
  });

  it('reports two classes of the same name, which would share a part', () => {
    const Other = { Books: class {} }.Books;
    const { problems } = declareAll(
      { name: undefined },
      { name: undefined, owner: Other, options: {} },
    );
    expect(problems).toEqual([
      expect.stringContaining(
        'Books.list @CircuitBreaker: another class is called Books too, and both would share "Books.list"',
      ),
    ]);
  });

  it('keeps kinds apart', () => {
    const { store, problems } = declareAll(
      {},
      { kind: 'bulkhead', options: {}, settings: 'other' },
    );
    expect(problems).toEqual([]);
    expect(store.obtain('bulkhead', 'api', (settings) => ({ settings }))).toEqual({
      settings: 'other',
    });
    made(store);
    expect([...store.ofKind('circuitBreaker')]).toEqual([{ settings: 'settings of Books.list' }]);
  });

  it('lists the parts that have been made, in the order of their declarations', () => {
    const { store } = declareAll({ name: 'a' }, { name: 'b' }, { name: 'c' });
    const [c, a] = [made(store, 'c'), made(store, 'a')];
    expect([...store.ofKind('circuitBreaker')]).toEqual([a, c]);
    expect([...store.ofKind('circuitBreaker')][0]).toBe(a);
  });

  it('has a snapshot of each part that has been made', () => {
    const { store } = declareAll({});
    expect(store.declarationOf('circuitBreaker', 'api')).toBeUndefined();
    made(store);
    expect(store.declarationOf('circuitBreaker', 'api')?.options).toEqual({ window: '10s' });
    expect(store.declarationOf('circuitBreaker', 'none')).toBeUndefined();
  });

  it('adopts changed declarations, and changes the settings of their parts', () => {
    const { store } = declareAll({}, { name: 'b', declaredBy: 'B.b' });
    const part = made(store);
    made(store, 'b');
    const others = declareAll(
      { options: { window: '1s' }, settings: 'new' },
      { name: 'b', declaredBy: 'B.b' },
      { name: 'c', declaredBy: 'C.c' },
    ).store;
    const changes: unknown[] = [];
    const { isChanged, changeParts } = store.adopt(others, (each, { settings }) =>
      changes.push([each, settings]),
    );
    expect(changes).toEqual([]);
    changeParts();
    expect(changes).toEqual([[part, 'new']]);
    expect(isChanged(declaration({}))).toBe(true);
    expect(isChanged(declaration({ name: 'b' }))).toBe(false);
    expect(isChanged(declaration({ name: 'none' }))).toBe(false);
    expect(store.declarationOf('circuitBreaker', 'api')?.options).toEqual({ window: '1s' });
    expect(store.find('circuitBreaker', 'api')).toBe(part);
    expect(made(store, 'c')).toBeDefined();
  });
});
