import { Injectable } from '@nestjs/common';
import { Observable, firstValueFrom, of, take } from 'rxjs';
import { type CallEndEvent, type ResilienceEvent, ResilienceEvents, Retry } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';

@Injectable()
class Feed {
  @Retry({ maxRetries: 0 })
  async *items(breaks: boolean): AsyncGenerator<number> {
    yield 1;
    if (breaks) throw new Error('broken');
    yield 2;
  }

  @Retry({ maxRetries: 0 })
  numbers(): Observable<number> {
    return of(1, 2, 3);
  }

  @Retry({ maxRetries: 0 })
  async outer(): Promise<number> {
    return firstValueFrom(this.numbers());
  }
}

async function listening(): Promise<{
  feed: Feed;
  heard: ResilienceEvent[];
  ends(): CallEndEvent[];
}> {
  const { app } = await boot({ providers: [Feed] });
  const heard: ResilienceEvent[] = [];
  const events = app.get(ResilienceEvents);
  events.on('call-start', (event) => void heard.push(event));
  events.on('call-end', (event) => void heard.push(event));
  const ends = (): CallEndEvent[] => heard.filter((event) => event.type === 'call-end');
  return { feed: app.get(Feed), heard, ends };
}

describe('the end of a call', () => {
  afterEach(closeAll);

  it('is the end of its generator: read to the end, left, or broken', async () => {
    const { feed, heard, ends } = await listening();
    for await (const item of feed.items(false)) {
      expect(item).toBeGreaterThan(0);
      expect(ends()).toHaveLength(0);
    }
    expect(ends()).toHaveLength(1);
    for await (const item of feed.items(false)) if (item === 1) break;
    expect(ends()).toHaveLength(2);
    const all = async (): Promise<void> => {
      for await (const _ of feed.items(true));
    };
    await expect(all()).rejects.toThrow('broken');
    expect(ends().map(({ outcome }) => outcome)).toEqual(['success', 'success', 'failure']);
    expect(heard).toHaveLength(6);
  });

  it('is the end of its Observable, and comes before that of the call around it', async () => {
    const { feed, heard, ends } = await listening();
    await firstValueFrom(feed.numbers().pipe(take(1)));
    expect(ends()).toHaveLength(1);
    heard.length = 0;
    await feed.outer();
    expect(heard.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'call-start Feed.outer',
      'call-start Feed.numbers',
      'call-end Feed.numbers',
      'call-end Feed.outer',
    ]);
  });
});
