/** A signal that counts its listeners. */
export class SpiedController {
  private readonly controller = new AbortController();
  private readonly listeners = new Set<unknown>();
  /** How many listened at a time, at most. */
  most = 0;

  constructor() {
    const { signal, listeners } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.defineProperties(signal, {
      addEventListener: {
        value: (type: string, listener: EventListener, options?: AddEventListenerOptions) => {
          listeners.add(listener);
          this.most = Math.max(this.most, listeners.size);
          add(type, listener, options);
        },
      },
      removeEventListener: {
        value: (type: string, listener: EventListener) => {
          listeners.delete(listener);
          remove(type, listener);
        },
      },
    });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(reason: unknown): void {
    this.controller.abort(reason);
    this.listeners.clear();
  }

  get listening(): number {
    return this.listeners.size;
  }
}
