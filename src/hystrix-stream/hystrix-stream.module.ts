import { type DynamicModule, Inject, Logger, Module, Optional } from '@nestjs/common';
import { RESILIENCE_SERVICE } from '../commands/resilience.service.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { quietLogger } from '../common/quiet-logger.js';
import { CIRCUIT_BREAKER_REGISTRY } from '../registry/circuit-breaker.registry.js';
import { EventStream } from './event-stream.js';
import { type Breakers, type Commands, HystrixEvents } from './hystrix-events.js';
import { controllerFor } from './hystrix-stream.controller.js';
import { type HystrixStreamOptions, readHystrixStreamOptions } from './options.js';

/** Streams the state of commands and circuit breakers to Hystrix' dashboard and Turbine: `GET /hystrix.stream`. */
@Module({})
export class HystrixStreamModule {
  constructor(@Optional() @Inject(EventStream) stream?: unknown) {
    if (stream !== undefined) return;
    throw misused(
      'imported without forRoot(), so it shows nothing; use HystrixStreamModule.forRoot()',
    );
  }

  /**
   * Adds the route of the stream. Import it beside `ResilienceModule.forRoot()`.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong
   *
   * @example
   * \@Module({ imports: [ResilienceModule.forRoot(), HystrixStreamModule.forRoot()] })
   * export class AppModule {}
   */
  static forRoot(options: HystrixStreamOptions = {}): DynamicModule {
    const settings = readHystrixStreamOptions(options);
    return {
      module: HystrixStreamModule,
      controllers: [controllerFor(settings)],
      providers: [
        {
          provide: EventStream,
          // Optional, so that our own error can name what is missing.
          inject: [RESILIENCE_SERVICE, CIRCUIT_BREAKER_REGISTRY].map((token) => ({
            token,
            optional: true,
          })),
          useFactory: (service?: Commands, breakers?: Breakers) => {
            if (service === undefined || breakers === undefined) {
              throw misused(
                'shows what ResilienceModule does; import ResilienceModule.forRoot() too',
              );
            }
            const logger = quietLogger(new Logger('HystrixStream'));
            const warn = (problem: string): void => logger.warn(problem);
            const events = new HystrixEvents(service, breakers, settings.keys, warn);
            return new EventStream(settings, () => events.texts());
          },
        },
      ],
    };
  }
}

function misused(problem: string): Error {
  return new ResilienceConfigurationError([`HystrixStreamModule: ${problem}`]);
}
