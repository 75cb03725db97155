import { Injectable, type Type } from '@nestjs/common';

type MethodDecorators = readonly ((...args: never[]) => unknown)[];

/** A provider class `name` with an asynchronous method `m` under these decorators. */
export function classWith(name: string, ...decorators: MethodDecorators): Type {
  const made = {
    [name]: class {
      async m(): Promise<void> {}
      async other(): Promise<void> {}
      get accessor(): number {
        return 1;
      }
    },
  }[name]!;
  const descriptor = Object.getOwnPropertyDescriptor(made.prototype, 'm')!;
  for (const decorate of decorators) (decorate as MethodDecorator)(made.prototype, 'm', descriptor);
  Object.defineProperty(made.prototype, 'm', descriptor);
  Injectable()(made);
  return made;
}

export const forms = `use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;
export const ROOT = 'ResilienceModule.forRoot():';
