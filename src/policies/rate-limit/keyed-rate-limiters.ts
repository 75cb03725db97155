import { printable } from '../../common/printable.js';
import type { Call } from '../../pipeline/call.js';
import { KeyedParts, PartsByKey } from '../keyed-parts.js';
import type { Limiter } from './limiter.js';
import type { RateLimitSettings } from './options.js';

/** The limiters of one name, one per key. */
export class KeyedRateLimiters extends PartsByKey<Limiter> {
  protected override readonly parts: KeyedParts<Limiter>;

  constructor(
    override readonly name: string,
    private settings: RateLimitSettings,
    create: (name: string, settings: RateLimitSettings) => Limiter,
    warn: (message: string) => void,
  ) {
    super();
    this.parts = new KeyedParts(
      settings.maxKeys,
      (key) => create(`${name}[${key}]`, this.settings),
      (limiter) => limiter.idle,
      (maxKeys) =>
        warn(
          `rate limit "${printable(name)}": all ${maxKeys} keys (maxKeys) are in use; calls with further keys have no limit`,
        ),
      (limiter) => {
        limiter.close();
        this.onGone(limiter);
      },
    );
  }

  /**
   * The limiter for a call; `undefined` when there is no room for its key.
   *
   * @throws what `key` throws, or a TypeError when it returns no valid key
   */
  forCall(call: Pick<Call, 'self' | 'args'>): Limiter | undefined {
    return this.parts.obtain(this.settings.key!(call));
  }

  /** Changes the limit of all keys; the `key` function stays. */
  reconfigure(settings: RateLimitSettings): void {
    this.settings = { ...settings, key: this.settings.key };
    this.parts.maxParts = settings.maxKeys;
    for (const limiter of this.values()) limiter.reconfigure(settings);
  }

  close(): void {
    for (const limiter of this.values()) limiter.close();
  }
}
