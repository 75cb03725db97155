/** The part of PGlite that the server uses. */
export interface Backend {
  /** Handles one message of the wire protocol; the result is the answer of Postgres. */
  execProtocolRaw(message: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}
