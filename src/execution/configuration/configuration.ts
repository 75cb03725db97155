import { brand } from '../../common/brand.js';
import { ResilienceConfigurationError } from '../../common/errors.js';
import { legibleThroughout } from '../../common/legible.js';
import { Problems } from '../../common/options-reader.js';
import {
  type ResilienceModuleOptions,
  ROOT,
  checkFeatureOptions,
  checkModuleOptions,
} from '../module-options.js';
import { type Feature, type Source, merged } from './features.js';
import type { Layers } from './layers.js';
import { checkExtensions } from './named-configurations.js';
import { environmentsOf } from './overrides.js';
import { Variables } from './variables.js';

/** Injection token of the {@link Configuration}. */
export const CONFIGURATION = brand('Configuration');

/** The options of one application: those of `forRoot()`, and what `forFeature()` brings. */
export class Configuration {
  private current: Layers;
  private readonly features = new Map<Feature, Source>();
  /** Checks what nobody uses yet; set when the application starts. */
  checkUnused: (problems: Problems) => void = () => undefined;

  /** @param features what is known when the application starts, with the names of the modules that use it */
  constructor(
    readonly options: ResilienceModuleOptions,
    features = new Map<Feature, string>(),
  ) {
    for (const [feature, user] of features) this.features.set(feature, sourceOf(feature, user));
    this.current = this.merge(new Problems(), { live: {}, shared: {} });
  }

  /** The layers in force. */
  get layers(): Layers {
    return this.current;
  }

  /** Replaces changes while the application runs. */
  change(changes: Partial<Pick<Layers, 'live' | 'shared'>>): void {
    this.current = { ...this.current, ...changes };
  }

  /** Checks the options as far as possible without knowing the methods. */
  check(problems: Problems): void {
    const [root, ...features] = this.sources();
    checkModuleOptions(this.options, problems);
    for (const { where, options } of features) checkFeatureOptions(options, where, problems);
    const { configs, variables } = this.merge(problems);
    checkExtensions(root!.where, configs, problems);
    variables.check(problems);
  }

  /**
   * Adds what a lazily loaded module brings, unless it is known.
   *
   * @throws {ResilienceConfigurationError} when it is wrong
   */
  add(feature: Feature): void {
    if (this.features.has(feature)) return;
    this.features.set(feature, sourceOf(feature, 'a lazily loaded module'));
    const before = this.current;
    const problems = new Problems();
    this.check(problems);
    this.current = this.merge(new Problems());
    this.checkUnused(problems);
    if (problems.all.length > 0) {
      this.features.delete(feature);
      this.current = before;
      throw new ResilienceConfigurationError(problems.all);
    }
  }

  private merge(
    problems: Problems,
    { live, shared }: Pick<Layers, 'live' | 'shared'> = this.current,
  ): Layers {
    const { defaults = {} } = this.options;
    const sources = this.sources();
    const variables = sources.flatMap(({ where, options }) =>
      environmentsOf(options?.overrides).map((environment) => ({ where, environment })),
    );
    const given = merged(sources, problems);
    return { defaults, live, shared, ...given, variables: new Variables(variables) };
  }

  private sources(): Source[] {
    return [{ where: ROOT, options: this.options }, ...this.features.values()];
  }
}

function sourceOf({ options }: Feature, user: string): Source {
  return {
    where: `ResilienceModule.forFeature() of ${user}`,
    options: legibleThroughout(options),
  };
}
