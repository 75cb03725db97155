import { createHash } from 'node:crypto';

/** Longer names are distinguished by their hash. */
const LONGEST_NAME = 200;

/** Characters that move a key to another slot, cannot be read in a terminal, or have no UTF-8: lone surrogates. */
// eslint-disable-next-line no-control-regex -- control characters are among them
const UNSAFE = /[%{}\u0000-\u0020\u007f]|\p{Surrogate}/gu;

/** The keys of a store. All keys of one name are in one slot of a cluster, by their hash tag. */
export class Keys {
  readonly channel: string;
  /** Sorted set: living instances, by the end of their time. Hash: their reports, with times, by instance. */
  readonly living: readonly string[];
  /** Hash: changes of options. */
  readonly settings: string;

  constructor(private readonly prefix: string) {
    this.channel = `${prefix}messages`;
    this.living = [this.of('fleet', 'alive'), this.of('fleet', 'instances')];
    this.settings = this.of('fleet', 'settings');
  }

  circuit(name: string): string {
    return this.of(name, 'circuit');
  }

  /** The circuit, the leases of its probes, and the votes to open it. */
  allOfCircuit(name: string): readonly string[] {
    return [this.circuit(name), this.of(name, 'leases'), this.of(name, 'votes')];
  }

  limit(name: string): string {
    return this.of(name, 'limit');
  }

  /** The leases of the places, and whether a caller waits. */
  places(name: string): readonly string[] {
    return [this.of(name, 'places'), this.of(name, 'awaited')];
  }

  private of(name: string, kind: string): string {
    return `${this.prefix}{${escape(name)}}:${kind}`;
  }
}

/** Two names never become the same: `%` is always escaped, so what follows one is unambiguous. */
function escape(name: string): string {
  if (name === '') return '%-';
  if (name.length > LONGEST_NAME) {
    const hash = createHash('sha256').update(name, 'utf16le').digest('hex').slice(0, 32);
    return `${escape(name.slice(0, 100))}%~${hash}`;
  }
  return name.replace(UNSAFE, (unsafe) => {
    const hex = unsafe.charCodeAt(0).toString(16).toUpperCase();
    return hex.length > 2 ? `%u${hex}` : `%${hex.padStart(2, '0')}`;
  });
}
