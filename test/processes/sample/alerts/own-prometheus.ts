import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { answersOk, freePort, HOST, until } from '../../../../sample/launcher/src/net.js';
import { isInstalled, OwnProcess } from '../lib/own-process.js';

const PROGRAM = 'prometheus';

/** How often it scrapes, and evaluates the rules. */
const EVERY = '1s';

type Labels = Readonly<Record<string, string>>;

/** An alert whose condition holds, or has held for long enough. */
export interface ActiveAlert {
  readonly alert: string;
  readonly state: 'pending' | 'firing';
}

/** When an alert has fired, milliseconds since 1970. */
export interface Firing {
  readonly alert: string;
  readonly from: number;
  readonly to: number;
}

interface RuleHealth {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** A Prometheus of the experiment's own, with its data in a temporary folder. */
export class OwnPrometheus {
  private readonly folder = mkdtempSync(join(tmpdir(), 'nest-resilience-prometheus-'));
  private readonly server = new OwnProcess(PROGRAM);

  private constructor(private readonly port: number) {}

  /** @returns undefined when PATH has no prometheus */
  static async create(): Promise<OwnPrometheus | undefined> {
    return (await isInstalled(PROGRAM)) ? new OwnPrometheus(await freePort()) : undefined;
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** Scrapes the application at an address, as a job of that name, under these rules. */
  async start(job: string, address: string, rules: string): Promise<void> {
    const file = join(this.folder, 'prometheus.yml');
    writeFileSync(join(this.folder, 'alerts.yaml'), rules);
    writeFileSync(
      file,
      stringify({
        global: { scrape_interval: EVERY, scrape_timeout: EVERY, evaluation_interval: EVERY },
        rule_files: ['alerts.yaml'],
        scrape_configs: [{ job_name: job, static_configs: [{ targets: [address] }] }],
      }),
    );
    this.server.start([
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(this.folder, 'data')}`,
      `--web.listen-address=${HOST}:${this.port}`,
      '--log.level=error',
    ]);
    await until('prometheus is ready', () => {
      if (!this.server.running) throw new Error('prometheus has ended; its last lines say why');
      return answersOk(`${this.url}/-/ready`);
    });
  }

  /** The alerts that are pending or firing at this moment. */
  async alerts(): Promise<ActiveAlert[]> {
    const { alerts } = await this.get<{
      alerts: readonly { labels: Labels; state: ActiveAlert['state'] }[];
    }>('alerts');
    return alerts.map(({ labels, state }) => ({ alert: nameOf(labels), state }));
  }

  /** All alerts that have fired since then, including those that `alerts()` has missed. */
  async firings(since: number): Promise<Firing[]> {
    const { result } = await this.get<{
      result: readonly { metric: Labels; values: readonly (readonly [number, string])[] }[];
    }>('query_range', {
      query: 'ALERTS{alertstate="firing"}',
      start: String(since / 1_000),
      end: String(Date.now() / 1_000),
      step: EVERY,
    });
    return result.map(({ metric, values }) => {
      const times = values.map(([seconds]) => seconds * 1_000);
      return { alert: nameOf(metric), from: Math.min(...times), to: Math.max(...times) };
    });
  }

  /** The rules that could not be evaluated, and why. */
  async brokenRules(): Promise<string[]> {
    const { groups } = await this.get<{
      groups: readonly { rules: readonly RuleHealth[] }[];
    }>('rules');
    const rules = groups.flatMap((group) => group.rules);
    if (rules.length === 0) return ['there are no rules'];
    return rules
      .filter(({ health }) => health !== 'ok')
      .map(({ name, health, lastError = health }) => `${name}: ${lastError}`);
  }

  async stop(): Promise<void> {
    await this.server.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const parameters = new URLSearchParams(query).toString();
    const response = await fetch(`${this.url}/api/v1/${path}?${parameters}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(`prometheus, ${path}: ${error}`);
    return data;
  }
}

/** The same for all instances of a job: the alert, and the labels that distinguish it from others of its name. */
function nameOf({ alertname = '', ...labels }: Labels): string {
  const own = Object.entries(labels)
    .filter(([label]) => !['__name__', 'alertstate', 'job', 'severity'].includes(label))
    .map(([label, value]) => `${label}="${value}"`);
  return `${alertname}{${own.sort().join(', ')}}`;
}
