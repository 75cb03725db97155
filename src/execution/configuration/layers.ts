import type { Variables } from './variables.js';
import type { PipelineOptions, NamedConfiguration, PolicyDefaults } from '../module-options.js';

/** A set of options by policy for each target. */
export type OverridesByTarget = Readonly<Record<string, PolicyDefaults>>;

/** All options that an application's configuration gives its subjects, layer by layer. Never changed: replaced. */
export interface Layers {
  readonly defaults: PolicyDefaults;
  readonly configs: Readonly<Record<string, NamedConfiguration>>;
  readonly pipelines: Readonly<Record<string, PipelineOptions>>;
  readonly overrides: OverridesByTarget;
  /** Overrides from the environment, which win over the others of the same target. */
  readonly variables: Variables;
  /** Changes for all instances of the fleet while the application runs. */
  readonly shared: OverridesByTarget;
  /** The same for this instance alone, which win over those of the same target. */
  readonly live: OverridesByTarget;
}
