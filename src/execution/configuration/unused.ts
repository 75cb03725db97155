import { isOptions, isPlainObject } from '../../common/objects.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { policies } from '../../policies/canonical-order.js';
import type { Policy, ProtectedMethod } from '../../policies/policy.js';
import { configurationsOf, kindsOf } from '../effective-options.js';
import { type SiteServices, SubjectSite } from '../subject-site.js';
import type { Subject } from '../subject.js';
import { EVERYTHING } from './everything.js';
import type { Layers } from './layers.js';

type AnyPolicy = Policy<string, object, unknown, unknown>;

/** The layers that may hold options for nobody. */
type Sets = Partial<Pick<Layers, 'defaults' | 'configs' | 'overrides' | 'shared' | 'live'>>;

/**
 * Finds the mistakes in options that nobody uses yet: values that no option allows, and names of none. Whether options
 * contradict one another depends on those of the user.
 */
export class UnusedOptions {
  /** The kinds of policies that somebody has, and those that somebody has with a configuration, as `name.kind`. */
  private readonly used = new Set<string>();

  constructor(private readonly services: SiteServices) {}

  /**
   * To be called with everything that has policies.
   *
   * @param isRead whether its options of that kind are read
   */
  uses(subject: Subject, layers: Layers, isRead: (policy: AnyPolicy) => boolean = always): void {
    for (const kind of kindsOf(subject, layers)) {
      if (!isRead(policies.get(kind)!)) continue;
      this.used.add(kind);
      for (const [name] of configurationsOf(kind, subject, layers))
        this.used.add(`${name}.${kind}`);
    }
  }

  check({ defaults, configs, overrides, shared, live }: Sets, problems: Problems): void {
    this.checkSet('defaults', defaults, problems);
    for (const [name, set] of Object.entries(configs ?? {})) {
      this.checkSet(`configs['${name}']`, set, problems, `${name}.`);
    }
    this.checkSet(`overrides['${EVERYTHING}']`, overrides?.[EVERYTHING], problems);
    for (const layer of [shared, live]) {
      this.checkSet(`configure('${EVERYTHING}')`, layer?.[EVERYTHING], problems);
    }
  }

  /** @param prefix of the names in {@link used} */
  private checkSet(path: string, set: unknown, problems: Problems, prefix = ''): void {
    if (!isPlainObject(set)) return; // reported
    for (const [kind, given] of Object.entries(set)) {
      if (given === undefined || this.used.has(`${prefix}${kind}`)) continue;
      this.checkOne(kind, given, `${path}.${kind}`, problems);
    }
  }

  /** The options of one policy. @param where their place in messages */
  checkOne(kind: string, given: unknown, where: string, problems: Problems): void {
    const policy = policies.get(kind);
    const options: unknown = policy?.normalize(given);
    if (policy === undefined || !isOptions(options)) return; // reported
    const { config: _config, ...own } = options;
    if (own.enabled === false) return;
    const read = new OwnValues<{ readonly enabled?: boolean }>(own, where, new Mistakes(problems));
    read.boolean('enabled');
    policy.read(read, new SubjectSite(this.knowingAll(), ANYBODY));
    read.done();
  }

  /** Services that have everything that options may refer to. */
  private knowingAll(): SiteServices {
    return { ...this.services, resolve: () => ({}), warn: () => undefined };
  }
}

const always = (): boolean => true;

/** Without contradictions. */
class Mistakes extends Problems {
  constructor(private readonly problems: Problems) {
    super();
  }

  override add(where: string, problem: string): void {
    this.problems.add(where, problem);
  }

  override contradict(): void {}
}

/** Options that are missing may be those of the user. */
class OwnValues<T extends object> extends OptionsReader<T> {
  override wrong(key: string, value: unknown, right: string): undefined {
    return value === undefined ? undefined : super.wrong(key, value, right);
  }
}

class Anybody {}

/** Has a method of every name. */
const EVERY_METHOD: object = new Proxy(
  {},
  { getOwnPropertyDescriptor: () => ({ value: () => undefined, configurable: true }) },
);

/** The user of options that have none. */
const ANYBODY: Subject = {
  name: 'Anybody.method',
  title: 'Anybody.method',
  owner: Anybody,
  overrideKeys: [],
  policies: new Map(),
  pipeline: undefined,
  order: undefined,
  method: {
    name: '',
    key: '',
    owner: Anybody,
    target: EVERY_METHOD,
    arity: 0,
    handler: true,
    sendsResponse: false,
  } satisfies ProtectedMethod,
  instances: { many: undefined, isOnly: () => true },
  anyWork: false,
};
