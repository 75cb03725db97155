/** The turn of a call that waits for a limit. */
export interface Turn {
  /** Resolves when the call is allowed; rejects when it will not be. */
  readonly ready: Promise<void>;
  /** The call has ended, perhaps while it waited. */
  leave(): void;
}
