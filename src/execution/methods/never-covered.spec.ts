import { SetMetadata } from '@nestjs/common';
import { isNeverCovered } from './never-covered.js';

describe('the policies of a class never cover', () => {
  @SetMetadata('websockets:is_gateway', true)
  class Gateway {}
  class Child extends Gateway {}
  class Other {}

  const marked = (metadata: string): (() => void) => {
    const method = (): void => {};
    SetMetadata(metadata, {})(method);
    return method;
  };
  const bare = (): void => {};
  const never = (key: string | symbol, owner: Function = Other, original: () => void = bare) =>
    isNeverCovered({ key, original, wrapper: undefined }, owner);

  it.each([
    'onModuleInit',
    'onApplicationBootstrap',
    'onModuleDestroy',
    'beforeApplicationShutdown',
    'onApplicationShutdown',
  ])('the hook %s', (key) => {
    expect(never(key)).toBe(true);
  });

  it.each(['afterInit', 'handleConnection', 'handleDisconnect'])(
    'the hook %s of gateways, which is a method like others elsewhere',
    (key) => {
      expect(never(key, Gateway)).toBe(true);
      expect(never(key, Child)).toBe(true);
      expect(never(key, Other)).toBe(false);
    },
  );

  it.each([
    ['worker', 'bullmq:processor_metadata'],
    ['queueEvents', 'bullmq:queue_events_listener_metadata'],
  ])('the accessor %s that the base class of a host of BullMQ has', (key, metadata) => {
    @SetMetadata(metadata, {})
    class Host {}
    expect(never(key, Host)).toBe(true);
    expect(never(key, Other)).toBe(false);
  });

  it('sagas of CQRS, those of a parent included', () => {
    @SetMetadata('__saga__', ['react'])
    class Sagas {}
    class More extends Sagas {}
    expect(never('react', Sagas)).toBe(true);
    expect(never('react', More)).toBe(true);
    expect(never('other', Sagas)).toBe(false);
    expect(never('react', Other)).toBe(false);
  });

  it.each([
    'bullmq:worker_events_metadata',
    'bullmq:queue_events_metadata',
    'bull:module_on_queue_event',
  ])('listeners with %s', (metadata) => {
    expect(never('m', Other, marked(metadata))).toBe(true);
    const wrapper = marked(metadata);
    expect(isNeverCovered({ key: 'm', original: bare, wrapper }, Other)).toBe(true);
    expect(isNeverCovered({ key: 'm', original: wrapper, wrapper: bare }, Other)).toBe(false);
  });

  it('but other methods', () => {
    expect(never('m', Gateway)).toBe(false);
    expect(never(Symbol('onModuleInit'), Gateway)).toBe(false);
    expect(never('m', Other, marked('something else'))).toBe(false);
  });
});
