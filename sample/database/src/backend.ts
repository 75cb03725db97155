/** What the server needs of a PGlite. */
export interface Backend {
  /** Handles one message of the wire protocol; the result is what Postgres answers. */
  execProtocolRaw(message: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
