import { isOptions, isPlainObject } from '../../common/objects.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { policies } from '../../policies/canonical-order.js';
import type { Policy, ProtectedMethod } from '../../policies/policy.js';
import { FOR_ALL, effectiveOptions, kindsOf, optionsOfAll } from '../effective-options.js';
import { type SiteServices, SubjectSite } from '../subject-site.js';
import type { Subject } from '../subject.js';
import { EVERYTHING } from './everything.js';
import type { Layers } from './layers.js';

type AnyPolicy = Policy<string, object, unknown, unknown>;

/** The layers that may hold options for nobody. */
type Sets = Pick<Layers, 'defaults' | 'configs' | 'pipelines' | 'overrides'>;

/**
 * Finds the mistakes in options that nobody uses yet, or that later layers replace for everyone: values that no option allows,
 * and names of none. Whether options contradict one another depends on those of the user.
 */
export class UnusedOptions {
  /** The options that are read with their users, as `layer kind option`. */
  private readonly read = new Set<string>();

  constructor(private readonly services: SiteServices) {}

  /**
   * To be called with everything that has policies.
   *
   * @param isRead whether its options of that kind are read
   */
  uses(subject: Subject, layers: Layers, isRead: (policy: AnyPolicy) => boolean = always): void {
    for (const kind of kindsOf(subject, layers)) {
      if (!isRead(policies.get(kind)!)) continue;
      const { options, originOf } = effectiveOptions(kind, subject, '', layers, new Problems());
      for (const option of [...Object.keys(options), 'enabled']) {
        this.read.add(`${originOf(option)} ${kind} ${option}`);
      }
    }
  }

  check(layers: Sets, problems: Problems): void {
    this.checkSet('defaults', layers.defaults, problems);
    for (const group of ['configs', 'pipelines', 'overrides'] as const) {
      for (const [name, set] of Object.entries(layers[group] ?? {})) {
        this.checkSet(`${group}['${name}']`, set, problems);
      }
    }
  }

  /** Checks changes for everything while the application runs. */
  checkLive({ shared, live }: Pick<Layers, 'shared' | 'live'>, problems: Problems): void {
    const forThis = `configure('${EVERYTHING}')`;
    this.checkSet(forThis, live[EVERYTHING], problems);
    this.checkSet(`configure('${EVERYTHING}', ${FOR_ALL})`, shared[EVERYTHING], problems);
  }

  /** @param layer its name, as the origin of its options */
  private checkSet(layer: string, set: unknown, problems: Problems): void {
    if (!isPlainObject(set)) return; // reported
    for (const [kind, given] of Object.entries(set)) {
      const policy = policies.get(kind);
      const options: unknown = given === undefined ? undefined : policy?.normalize(given);
      if (policy === undefined || !isOptions(options) || options.enabled === false) continue; // reported
      const unread = Object.entries(options).filter(
        ([option]) => option !== 'config' && !this.read.has(`${layer} ${kind} ${option}`),
      );
      this.checkOptions(policy, Object.fromEntries(unread), `${layer}.${kind}`, problems);
    }
  }

  private checkOptions(policy: AnyPolicy, own: object, where: string, problems: Problems): void {
    const read = new OwnValues<{ readonly enabled?: boolean }>(own, where, new Mistakes(problems));
    read.boolean('enabled');
    policy.read(read, new SubjectSite(this.knowingAll(), ANYBODY));
    read.done(() => optionsOfAll(where));
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
