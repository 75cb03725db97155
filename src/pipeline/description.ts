/** One policy of a method, as it is in force. */
export interface PolicyDescription {
  /** Its key in `defaults`, `configs` and `overrides`. */
  readonly kind: string;
  /** All layers merged; what is missing has the library's default. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The pipeline of a method, as it is in force. */
export interface PipelineDescription {
  /** `Class.method`. */
  readonly name: string;
  /** The stages, outermost first. */
  readonly stages: readonly string[];
  /** Its policies with their options, all layers merged. */
  readonly policies: readonly PolicyDescription[];
}
