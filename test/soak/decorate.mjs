// Decorators in plain JavaScript.
import 'reflect-metadata';

/** `@Retry() @Timeout('1s') method()`: what TypeScript makes of it. */
export function decorate(type, name, decorators, { returns = Promise, parameters = [] } = {}) {
  const { prototype } = type;
  Reflect.defineMetadata('design:paramtypes', parameters, prototype, name);
  Reflect.defineMetadata('design:returntype', returns, prototype, name);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  for (const each of [...decorators].reverse()) each(prototype, name, descriptor);
  Object.defineProperty(prototype, name, descriptor);
}

/** `@Injectable() class …` with the types of its constructor. */
export function inject(type, decorators, dependencies = []) {
  Reflect.defineMetadata('design:paramtypes', dependencies, type);
  for (const each of [...decorators].reverse()) each(type);
}
