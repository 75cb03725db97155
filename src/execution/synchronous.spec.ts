import { Get } from '@nestjs/common';
import { Problems } from '../common/options-reader.js';
import { Retry } from '../index.js';
import { coverClass } from './coverage.js';
import { decoratedMethodOf } from './methods/decorated-method.js';
import { reportSynchronous } from './synchronous.js';

/** Beyond the compiler, as `applyDecorators()` is. */
const Protected = Retry() as MethodDecorator;

class Books {
  @Protected
  count(): number {
    return 1;
  }
  @Protected
  find(): Promise<number> {
    return Promise.resolve(1);
  }
  @Protected
  @Get()
  handler(): number {
    return 1;
  }
}

function told(owner: Function, key: string): readonly string[] {
  const method = (owner.prototype as Record<string, unknown>)[key];
  const decorated = decoratedMethodOf(method)!;
  const problems = new Problems();
  reportSynchronous({ decorated, owner, ownOnly: false }, problems);
  return problems.all;
}

describe('a method that is synchronous', () => {
  it('is reported, under the class that it is called on', () => {
    class Child extends Books {}
    const rest =
      'returns number; a protected method has to return a promise, an Observable or an async iterable, so make it async';
    expect(told(Books, 'count')).toEqual([`Books.count: ${rest}`]);
    expect(told(Child, 'count')).toEqual([`Child.count: ${rest}`]);
  });

  it('is none if it is not known to be, or if Nest awaits it', () => {
    expect(told(Books, 'find')).toEqual([]);
    expect(told(Books, 'handler')).toEqual([]);
  });

  it('is not reported if only its class has policies', () => {
    class Covered {
      @Get()
      handler(): number {
        return 1;
      }
    }
    coverClass(Covered);
    Reflect.deleteMetadata('path', Covered.prototype.handler);
    expect(told(Covered, 'handler')).toEqual([]);
  });
});
