import { callScope } from '../pipeline/call-scope.js';
import '../pipeline/liveness.js';
import type * as Brand from './brand.js';
import { brand, shared } from './brand.js';
import { isTakenDown } from './time-source.js';

describe('values shared by copies of the package in a process', () => {
  it('are branded with symbols of the global registry', () => {
    expect(brand('x')).toBe(Symbol.for('nest-resilience:x'));
  });

  it.each(['call-scope', 'liveness', 'canary'])('have a name: %s', (name) => {
    expect(callScope).toBeDefined();
    expect(isTakenDown()).toBe(false);
    expect(brand(name) in globalThis).toBe(true);
  });

  it('are made once for all copies', () => {
    const mine = shared('brand.spec', () => ({}));
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof Brand>('./brand.js');
      expect(copy.shared).not.toBe(shared);
      expect(copy.shared('brand.spec', () => ({}))).toBe(mine);
    });
  });
});
