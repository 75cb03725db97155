/** One policy in force. */
export interface PolicyDescription {
  /** The kind of policy: its key in `defaults`, `configs` and `overrides`. */
  readonly kind: string;
  /** The options with all layers merged; missing ones have the library's default. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The pipeline of a method, command or named pipeline in force. */
export interface PipelineDescription {
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The stages, outermost first. */
  readonly stages: readonly string[];
  /** Its policies and their options. */
  readonly policies: readonly PolicyDescription[];
}
