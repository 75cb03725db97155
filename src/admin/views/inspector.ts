import { Turns } from '../../common/turns.js';
import type {
  AdminBreaker,
  AdminBreakerDetails,
  AdminBreakers,
  AdminBulkhead,
  AdminBulkheads,
  AdminCommand,
  AdminCommands,
  AdminConfiguration,
  AdminFleetDetails,
  AdminMoment,
  AdminOverview,
  AdminPage,
  AdminPipeline,
  AdminPipelines,
  AdminRateLimit,
  AdminRateLimits,
  AdminSeries,
  AdminTrouble,
} from '../contract.js';
import { AdminError } from '../admin-error.js';
import { plain } from '../plain.js';
import { bulkheadView, commandView, pipelineView } from './other-views.js';
import {
  type BreakerPart,
  type BulkheadPart,
  type Member,
  type Parts,
  groupOf,
  membersOf,
} from './parts.js';
import { type Query, type StateFilter, matches, pageOf } from './query.js';
import { Ranking, limitRankOf, rankOf, stateOf } from './rank.js';
import {
  breakerTrouble,
  bulkheadTrouble,
  rateLimitTrouble,
  storeTrouble,
  urgencyOf,
} from './troubles.js';
import type { Views } from './views.js';

/** How many troubles an overview lists. */
const MOST_TROUBLES = 100;

/** Answers all requests for current state. However many parts there are, other work waits 10 ms at most. */
export class Inspector {
  constructor(
    private readonly parts: Parts,
    private readonly views: Views,
    /** The server and the moment, for each answer. */
    private readonly moment: () => AdminMoment,
    private readonly seriesOf: (part: AdminSeries['part'], name: string) => AdminSeries | undefined,
  ) {}

  async overview(): Promise<AdminOverview> {
    const ranking = new Ranking<AdminTrouble>();
    let found = 0;
    const add = (trouble: AdminTrouble | undefined): void => {
      if (trouble === undefined) return;
      found += 1;
      ranking.add(trouble, urgencyOf(trouble));
    };
    const fleet = await this.views.fleet?.read();
    if (fleet !== undefined) add(storeTrouble(fleet));
    const states: Record<StateFilter, number> = {
      closed: 0,
      open: 0,
      'half-open': 0,
      'forced-open': 0,
      disabled: 0,
      'observe-only': 0,
    };
    for await (const { part, group } of membersOf(this.parts.breakers)) {
      const state = stateOf(part);
      states[state] += 1;
      if (state === 'closed' && part.counts.failures === 0) continue;
      add(breakerTrouble(this.views.breakers.view(part.snapshot(), group)));
    }
    for await (const { part } of membersOf(this.parts.bulkheads)) {
      add(bulkheadTrouble(part.snapshot()));
    }
    for await (const { part } of membersOf(this.parts.rateLimits)) {
      add(rateLimitTrouble(this.views.rateLimits.view(part)));
    }
    const troubles = ranking.all.slice(0, MOST_TROUBLES);
    return {
      ...this.moment(),
      troubles,
      more: found - troubles.length,
      breakers: states,
      bulkheads: this.parts.bulkheads.size,
      rateLimits: this.parts.rateLimits.size,
      commands: [...this.parts.service.commands()].length,
    };
  }

  async breakers(query: Query): Promise<AdminBreakers> {
    const ranking = new Ranking<Member<BreakerPart>>();
    for await (const member of membersOf(this.parts.breakers, scopeOf(query))) {
      const { part } = member;
      if (!matches(part.name, query)) continue;
      if (query.state !== undefined && stateOf(part) !== query.state) continue;
      ranking.add(member, rankOf(part));
    }
    return this.page(ranking.all, query, ({ part, group }) =>
      this.views.breakers.view(part.snapshot(), group),
    );
  }

  breaker(name: string): AdminBreakerDetails {
    const breaker = this.viewOf(name);
    const series = this.seriesOf('breaker', name);
    const part = breaker.group ?? name;
    const usedBy = Array.from(this.parts.service.explain())
      .filter(({ policies }) =>
        policies.some((policy) => policy.kind === 'circuitBreaker' && policy.part === part),
      )
      .map((pipeline) => pipeline.name);
    return {
      ...this.moment(),
      breaker,
      ...(series !== undefined && { series }),
      usedBy,
    };
  }

  /** @throws {AdminError} when there is none of that name */
  viewOf(name: string): AdminBreaker {
    const { breakers } = this.parts;
    if (!breakers.has(name)) {
      throw new AdminError(404, 'NOT_FOUND', 'there is no circuit breaker of that name');
    }
    return this.views.breakers.view(breakers.get(name).snapshot(), groupOf(breakers, name));
  }

  async bulkheads(query: Query): Promise<AdminBulkheads> {
    const ranking = new Ranking<Member<BulkheadPart>>();
    for await (const member of membersOf(this.parts.bulkheads, scopeOf(query))) {
      const { running, waiting, maxConcurrent, name } = member.part.snapshot();
      if (!matches(name, query)) continue;
      const free = Math.max(0, maxConcurrent - running) / maxConcurrent;
      ranking.add(member, waiting > 0 ? 0 : 1 + Math.round(free * 10));
    }
    return this.page(ranking.all, query, ({ part, group }): AdminBulkhead =>
      bulkheadView(part.snapshot(), group),
    );
  }

  async rateLimits(query: Query): Promise<AdminRateLimits> {
    const ranking = new Ranking<AdminRateLimit>();
    for await (const { part, group } of membersOf(this.parts.rateLimits, scopeOf(query))) {
      if (!matches(part.name, query)) continue;
      const view = this.views.rateLimits.view(part, group);
      ranking.add(view, limitRankOf(view));
    }
    return this.page(ranking.all, query, (view) => view);
  }

  /** @throws {AdminError} when there is no store */
  async fleet(): Promise<AdminFleetDetails> {
    const fleet = await this.views.fleet?.read();
    if (fleet === undefined) {
      throw new AdminError(404, 'NOT_FOUND', 'the application has no store');
    }
    return { ...this.moment(), fleet };
  }

  async commands(query: Query): Promise<AdminCommands> {
    const all = [...this.parts.service.commands()].filter(({ name }) => matches(name, query));
    return this.page(all, query, (command): AdminCommand => commandView(command.snapshot()));
  }

  async pipelines(query: Query): Promise<AdminPipelines> {
    const all: AdminPipeline[] = [];
    const turns = new Turns();
    for (const pipeline of this.parts.service.explain()) {
      if (turns.over) await turns.next();
      if (matches(pipeline.name, query)) all.push(pipelineView(pipeline));
    }
    return this.page(all, query, (pipeline) => pipeline);
  }

  configuration(): AdminConfiguration {
    const { defaults, configs, pipelines, overrides } = this.parts.service.layers;
    return {
      ...this.moment(),
      defaults: plain(defaults),
      configs: plain(configs),
      pipelines: plain(pipelines),
      overrides: plain(overrides),
    };
  }

  private async page<Item, View>(
    all: readonly Item[],
    query: Query,
    view: (item: Item) => View,
  ): Promise<AdminPage<View>> {
    const { page, ...rest } = pageOf(all, query);
    const items: View[] = [];
    const turns = new Turns();
    await turns.next(); // the search may have used up its turn
    for (const item of page) {
      if (turns.over) await turns.next();
      items.push(view(item));
    }
    await turns.next(); // for the JSON
    return { ...this.moment(), items, ...rest };
  }
}

function scopeOf({ keys, group }: Query): { keys: boolean; group?: string } {
  return { keys, ...(group !== undefined && { group }) };
}
