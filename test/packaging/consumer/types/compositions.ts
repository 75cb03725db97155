// `composePolicies()` and `@Signal()`.
import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Query,
  SetMetadata,
  UseGuards,
  applyDecorators,
} from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  type MethodPolicyDecorator,
  type PolicyDecorator,
  Retry,
  Signal,
  Timeout,
  composePolicies,
  fallbackValue,
} from 'nest-resilience';

const Resilient = (name: string): PolicyDecorator =>
  composePolicies(Retry(), CircuitBreaker(name), Timeout('2s'));
const ResilientService = (): ClassDecorator => composePolicies(Injectable(), Resilient('service'));
const Spared = (): MethodPolicyDecorator<'spare', unknown> =>
  composePolicies(Resilient('spared'), Fallback('spare'));
const Zero = (): MethodPolicyDecorator<never, number> =>
  composePolicies(Retry(), Fallback(fallbackValue(0)));

// Compiles: policies and Injectable() on a class
@ResilientService()
export class Accepted {
  // Compiles: policies on a method
  @Resilient('books')
  async books(): Promise<string[]> {
    return [];
  }

  // Compiles: a composition in a composition, with a fallback by name
  @composePolicies(Spared(), HttpCode(202))
  async spared(): Promise<string> {
    return '';
  }

  // Compiles: decorators of Nest for methods
  @composePolicies(Get('page'), HttpCode(200), Timeout('1s'))
  async page(): Promise<string> {
    return '';
  }

  // Compiles: decorators of Nest for methods and classes
  @composePolicies(SetMetadata('role', 'reader'), UseGuards(), Retry())
  async guarded(): Promise<string> {
    return '';
  }

  // Compiles: what applyDecorators() makes
  @composePolicies(applyDecorators(Get('list')), Retry())
  async list(): Promise<string> {
    return '';
  }

  // Compiles: the signal of the call, left out by callers
  @Timeout('1s')
  async signal(words: string, @Signal() signal?: AbortSignal): Promise<string> {
    return signal?.aborted ? '' : words;
  }

  // Compiles: a signal of any type, of a private and of a static method
  @Timeout('1s')
  async any(@Signal() signal: unknown): Promise<unknown> {
    return [signal, await this.hidden(undefined), this.hidden];
  }

  private async hidden<T>(it: T, @Signal() _signal?: AbortSignal): Promise<T> {
    return it;
  }

  static async shared(@Signal() signal: EventTarget | null = null): Promise<boolean> {
    return signal === null;
  }

  // Compiles: the signal of an overloaded method whose last form has none
  find(word: string, signal?: AbortSignal): Promise<string>;
  find(id: number): Promise<string>;
  async find(what: string | number, @Signal() signal?: AbortSignal): Promise<string> {
    return signal?.aborted ? '' : String(what);
  }

  // Compiles: the signal by the type of Nest's decorators
  static readonly parameter: ParameterDecorator = Signal();

  // Compiles: the signal beside a parameter of a request
  @Get('search')
  async search(@Query('words') words: string, @Signal() signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return words;
  }

  spare(): string {
    return '';
  }
}

// Compiles: policies on a class
@Resilient('all')
export class OnClass {}

// Compiles: decorators of Nest and policies on a class
@composePolicies(Controller('books'), UseGuards(), SetMetadata('role', 'reader'), Retry())
export class Routes {}

export class Refused {
  // @ts-expect-error Injectable() among the policies of a method: `composePolicies(` the decorator expects 1
  @composePolicies(Injectable(), Retry())
  async injectable(): Promise<void> {}

  // @ts-expect-error Controller() among the policies of a method: `composePolicies(` the decorator expects 1
  @composePolicies(Retry(), Controller())
  async controller(): Promise<void> {}

  // @ts-expect-error a composition for classes on a method: `ResilientService()` the decorator expects 1
  @ResilientService()
  async forClasses(): Promise<void> {}

  // @ts-expect-error Injectable() beside a fallback: `composePolicies(` or `Injectable()` Argument of type 'ClassDecorator' is not assignable to parameter of type 'MethodPart
  @composePolicies(Injectable(), Fallback(fallbackValue(undefined)))
  async mixed(): Promise<void> {}

  // @ts-expect-error a decorator of parameters: `Query('words')` Argument of type 'ParameterDecorator' is not assignable to parameter of type 'MethodPart
  @composePolicies(Query('words'), Retry())
  async query(): Promise<void> {}

  // @ts-expect-error the signal among the policies: `Signal()` Argument of type 'SignalDecorator' is not assignable to parameter of type 'MethodPart
  @composePolicies(Signal(), Retry())
  async signal(): Promise<void> {}

  // @ts-expect-error a synchronous method: `Resilient('books')` Argument of type 'TypedPropertyDescriptor<() => number>' is not assignable to parameter of type 'TypedPropertyDescriptor
  @Resilient('books')
  sync(): number {
    return 1;
  }

  // @ts-expect-error a fallback by name that does not exist: `Spared()` Property 'spare' is missing in type
  @Spared()
  async spared(): Promise<string> {
    return '';
  }

  // @ts-expect-error a fallback of another result: `Zero()` the fallback's result type does not match
  @Zero()
  async zero(): Promise<string> {
    return '';
  }

  // @ts-expect-error no parts: `composePolicies()` Expected at least 1 arguments, but got 0
  @composePolicies()
  async empty(): Promise<void> {}

  // @ts-expect-error options in the place of a decorator: `maxRetries: 3` 'maxRetries' does not exist in type 'MethodPart
  @composePolicies({ maxRetries: 3 }, Timeout('1s'))
  async options(): Promise<void> {}

  // @ts-expect-error the signal on a method: `Signal()` Argument of type 'TypedPropertyDescriptor<() => Promise<void>>' is not assignable to parameter of type 'number
  @Signal()
  async onMethod(): Promise<void> {}

  // @ts-expect-error a signal for a parameter of another type: `Signal()` 'this parameter cannot be an AbortSignal': number
  async limit(words: string, @Signal() limit: number): Promise<string> {
    return words.slice(limit);
  }

  // @ts-expect-error a signal for a controller: `Signal()` 'this parameter cannot be an AbortSignal': AbortController
  static async controlled(@Signal() { signal }: AbortController): Promise<boolean> {
    return signal.aborted;
  }

  // @ts-expect-error an argument of the signal: `'attempt'` Expected 0 arguments, but got 1
  async argument(@Signal('attempt') signal?: AbortSignal): Promise<boolean> {
    return signal !== undefined;
  }
}

// @ts-expect-error a fallback among the policies of a class: `@composePolicies` the decorator expects 3
@composePolicies(Retry(), Fallback('spare'))
export class WithFallback {}

// @ts-expect-error a route among the policies of a class: `@composePolicies` the decorator expects 3
@composePolicies(Retry(), Get('books'))
export class WithRoute {}

// @ts-expect-error a decorator for classes in the place of one for both: `both: PolicyDecorator` Type 'ClassDecorator' is not assignable to type 'PolicyDecorator
export const both: PolicyDecorator = Injectable();
