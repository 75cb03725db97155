import { Module, type INestApplicationContext, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type CallContext,
  type PipelineOptions,
  type ResilienceEvent,
  ResilienceEvents,
  ResilienceModule,
  ResilienceService,
} from '../../src/index.js';
import {
  type Built,
  type Instance,
  buildClass,
  fallbackOf,
  providersOf,
  rootName,
  rootPipelineOf,
} from './build.js';
import type { Caller } from './callers.js';
import type { SubjectPlan } from './plan.js';
import type { World } from './world.js';

const MAKER = 'maker';

/** Starts the applications of a world. */
export async function bootWorld(world: World): Promise<void> {
  const classes = new Map<number, Built>();
  for (const subject of world.subjects) {
    if (subject.kind !== 'method') continue;
    const parent = subject.parent === undefined ? undefined : classes.get(subject.parent);
    classes.set(subject.index, buildClass(world, subject, parent));
  }
  const count = world.dice.chance(0.1) ? 2 : 1;
  for (let number = 0; number < count; number++) await bootApp(world, classes, number);
}

async function bootApp(
  world: World,
  classes: ReadonlyMap<number, Built>,
  number: number,
): Promise<void> {
  const { dice, clock, subjects, mischief } = world;
  const pipelines = Object.fromEntries(
    subjects.flatMap((subject): [string, PipelineOptions][] => {
      const root = rootPipelineOf(subject);
      return root === undefined ? [] : [[rootName(subject), root]];
    }),
  );
  class AppModule {}
  Module({
    imports: [
      ResilienceModule.forRoot({
        clock,
        random: dice.fork().next,
        logger: dice.chance(0.5) ? false : mischief.logger(),
        pipelines,
      }),
    ],
    providers: [
      ...[...classes].flatMap(([index, type]) => providersOf(subjects[index]!, type)),
      ...subjects.filter(({ fallback }) => fallback === 'class').map((s) => world.handlerOf(s)),
      { provide: 'CACHE_MANAGER', useValue: cacheOf(world) },
      maker(world),
    ],
  })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: false,
    abortOnError: false,
  });
  const made = app.get<Map<number, Caller>>(MAKER);
  const callers = subjects.map((subject): Caller => {
    if (subject.kind !== 'method') return made.get(subject.index)!;
    return { instances: instancesOf(world, app, subject, classes.get(subject.index)!, number) };
  });
  world.apps.push({ app, callers, heard: listen(world, app), closed: false });
}

function instancesOf(
  world: World,
  app: INestApplicationContext,
  { label, instances }: SubjectPlan,
  type: Built,
  number: number,
): Instance[] {
  const all = [app.get(type)];
  if (instances > 1) all.push(app.get(`${label}#2`));
  all.forEach((each, i) => world.tag(each, number, i));
  return all;
}

/** Makes commands and pipelines. */
function maker(world: World): Provider {
  return {
    provide: MAKER,
    inject: [ResilienceService],
    useFactory: (service: ResilienceService): Map<number, Caller> => {
      const made = new Map<number, Caller>();
      for (const subject of world.subjects) {
        const { index, label, kind, policies, order } = subject;
        const fallback = fallbackOf(world, subject);
        const options = { ...policies, ...(fallback !== undefined && { fallback }) } as object;
        if (kind === 'pipeline') {
          const own = { ...options, ...(order !== undefined && { order }) };
          made.set(index, { pipeline: service.pipeline(label, own) });
        }
        if (kind === 'command') {
          const run = (context: CallContext, id: number, _key: string): unknown =>
            world.run(subject, undefined, id, id % 3 === 0 ? undefined : context.signal);
          made.set(index, { command: service.command(label, { ...options, run }) });
        }
      }
      return made;
    },
  };
}

/** Listeners to everything: half of the worlds have none. */
function listen(world: World, app: INestApplicationContext): ResilienceEvent[] | undefined {
  if (!world.listens) return undefined;
  const heard: ResilienceEvent[] = [];
  const events = app.get(ResilienceEvents);
  if (world.dice.chance(0.4)) events.subscribe(world.mischief.listener('a listener of events'));
  events.subscribe((event) => void heard.push(event));
  if (world.dice.chance(0.2)) events.subscribe(world.mischief.listener('a late listener'));
  return heard;
}

/** A cache that may be good, slow, broken, or hang. */
function cacheOf(world: World): object {
  const entries = new Map<string, unknown>();
  const { dice } = world;
  const kind = dice.pick(['good', 'good', 'slow', 'broken', 'hanging', 'mixed'] as const);
  const trouble = async (): Promise<void> => {
    const own = kind === 'mixed' ? dice.pick(['good', 'slow', 'broken', 'hanging'] as const) : kind;
    if (own === 'slow') await world.work(dice.int(1, 60));
    if (own === 'broken') throw new Error('the cache is down');
    if (own === 'hanging') await world.hang();
  };
  return {
    get(key: string): unknown {
      if (kind === 'broken' && dice.chance(0.3)) throw new Error('the cache threw');
      return trouble().then(() => (dice.chance(0.05) ? { odd: true } : entries.get(key)));
    },
    set(key: string, value: unknown): unknown {
      if (kind === 'broken' && dice.chance(0.3)) throw new Error('the cache threw');
      return trouble().then(() => void entries.set(key, value));
    },
  };
}
