import { type DynamicModule, Inject, Module, Optional } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ResilienceConfigurationError } from '../common/errors.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { resilienceEventKinds } from '../telemetry/event-kinds.js';
import type { ResilienceEventKind } from '../telemetry/events.js';
import { RESILIENCE_EVENTS } from '../telemetry/resilience-events.js';
import { type Emitter, EventBridge, type Events } from './event-bridge.js';

/** Options of `ResilienceEventEmitterModule.forRoot()`. */
export interface ResilienceEventEmitterOptions {
  /** The prefix of the names: `resilience` makes `resilience.state-change`. Default `'resilience'`. */
  readonly prefix?: string;
  /** The kinds of events. Default: all. Events of calls and attempts cost a little in each call. */
  readonly kinds?: readonly ResilienceEventKind[];
}

const WHERE = 'ResilienceEventEmitterModule.forRoot()';

/** Also emits the library's events through `@nestjs/event-emitter`, for `@OnEvent('resilience.state-change')`. */
@Module({})
export class ResilienceEventEmitterModule {
  constructor(@Optional() @Inject(EventBridge) bridge?: unknown) {
    if (bridge !== undefined) return;
    throw misused('imported without forRoot(), so it does nothing; use forRoot()');
  }

  /**
   * Import it beside `ResilienceModule.forRoot()` and `EventEmitterModule.forRoot()`.
   *
   * @throws {ResilienceConfigurationError} when an option is wrong
   *
   * @example
   * ResilienceEventEmitterModule.forRoot({ kinds: ['state-change', 'override'] })
   */
  static forRoot(options: ResilienceEventEmitterOptions = {}): DynamicModule {
    const { prefix, kinds } = readOptions(options);
    return {
      module: ResilienceEventEmitterModule,
      providers: [
        {
          provide: EventBridge,
          // Optional, so that our own error can name what is missing.
          inject: [RESILIENCE_EVENTS, EventEmitter2].map((token) => ({ token, optional: true })),
          useFactory: (events?: Events, emitter?: Emitter) => {
            if (!events) {
              throw misused(
                'emits events of ResilienceModule; import ResilienceModule.forRoot() too',
              );
            }
            if (!emitter) {
              throw misused('needs EventEmitter2; import EventEmitterModule.forRoot() too');
            }
            return new EventBridge(events, emitter, kinds, prefix);
          },
        },
      ],
    };
  }
}

function readOptions(
  options: ResilienceEventEmitterOptions,
): Required<ResilienceEventEmitterOptions> {
  const problems = new Problems();
  const read = new OptionsReader(options, WHERE, problems);
  const prefix = read.text('prefix') ?? 'resilience';
  const kinds: unknown = read.raw('kinds') ?? resilienceEventKinds;
  const known: readonly unknown[] = resilienceEventKinds;
  if (!Array.isArray(kinds) || !kinds.every((kind) => known.includes(kind))) {
    read.wrong('kinds', kinds, `a list of ${resilienceEventKinds.map(show).join(', ')}`);
  }
  read.done();
  if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
  return { prefix, kinds: [...new Set(kinds as ResilienceEventKind[])] };
}

function misused(problem: string): Error {
  return new ResilienceConfigurationError([`ResilienceEventEmitterModule: ${problem}`]);
}
