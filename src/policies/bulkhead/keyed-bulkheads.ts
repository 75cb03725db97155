import { printable } from '../../common/printable.js';
import type { Call } from '../../pipeline/call.js';
import { KeyedParts, PartsByKey } from '../keyed-parts.js';
import type { AnyBulkhead } from './any-bulkhead.js';
import type { Bulkhead } from './bulkhead.js';
import type { BulkheadSettings } from './options.js';

/** The bulkheads of one name, one per key. */
export class KeyedBulkheads<B extends AnyBulkhead = Bulkhead> extends PartsByKey<B> {
  protected override readonly parts: KeyedParts<B>;

  constructor(
    override readonly name: string,
    private settings: BulkheadSettings,
    create: (name: string, settings: BulkheadSettings) => B,
    warn: (message: string) => void,
  ) {
    super();
    this.parts = new KeyedParts(
      settings.maxKeys,
      (key) => create(`${name}[${key}]`, this.settings),
      (bulkhead) => bulkhead.idle,
      (maxKeys) =>
        warn(
          `bulkhead "${printable(name)}": all ${maxKeys} keys (maxKeys) are in use; calls with further keys have no limit`,
        ),
      (bulkhead) => {
        bulkhead.close();
        this.onGone(bulkhead);
      },
    );
  }

  /**
   * The bulkhead for a call; `undefined` when there is no room for its key.
   *
   * @throws what `key` throws, or a TypeError when it returns no valid key
   */
  forCall(call: Pick<Call, 'self' | 'args'>): B | undefined {
    return this.for(this.settings.key!(call));
  }

  for(key: string): B | undefined {
    return this.parts.obtain(key);
  }

  /** Changes the limits of all keys; the `key` function stays. */
  reconfigure(settings: BulkheadSettings): void {
    this.settings = { ...settings, key: this.settings.key };
    this.parts.maxParts = settings.maxKeys;
    for (const bulkhead of this.values()) bulkhead.reconfigure(settings);
  }

  close(): void {
    for (const bulkhead of this.values()) bulkhead.close();
  }
}
