import { Injectable, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceConfigurationError } from '../../src/index.js';
import { appModule } from './boot.js';
import { outcome } from './wait.js';

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

export async function problemsOf(
  providers: readonly Type[],
  resilience: Record<string, unknown>,
): Promise<readonly string[]> {
  const { AppModule } = appModule({
    providers: [...providers],
    resilience,
  });
  const app = NestFactory.createApplicationContext(AppModule, {
    logger: false,
    abortOnError: false,
  });
  const { error, value: started } = await outcome(app);
  await started?.close();
  if (!(error instanceof ResilienceConfigurationError))
    throw (error as Error) ?? new Error('started');
  return error.problems;
}
