import { print } from '../lib/output.js';
import { Report } from '../lib/report.js';
import { type Cells, table } from '../lib/table.js';
import { MAX_CONCURRENT, TOTAL_TIMEOUT_MS } from '../outage/observe.js';
import { PATIENCE_MS, type Seen } from './customers.js';
import { BOOKS, type Phase, type Phases, SHIPPING, SLOW_MS } from './measure.js';

/** The default setting of booksvc. */
const OUTGOING_SOCKETS = 64;

/** A busy machine may cause this much latency by itself; lower latencies are not compared. */
const NOISE_MS = 25;
/** "Visibly slower" is slower by this factor. */
const SLOWER = 10;
const USED_SLACK_MB = 5;
/** V8 keeps pages that it no longer uses, sometimes more of them, sometimes fewer. */
const RESIDENT_SLACK_MB = 100;

const MB = 2 ** 20;

export interface Compared {
  readonly bare: Phases;
  /** All but the bulkhead. */
  readonly noBulkhead: Phases;
  readonly protected: Phases;
}

/** The same customers before booksvc with and without its policies. */
export class SlowReport extends Report {
  compared: Compared | undefined;

  compare(compared: Compared): void {
    this.compared = compared;
    const { bare, protected: own } = compared;
    const all = [bare.healthy, own.healthy].flatMap(({ books, shipping }) => [books, shipping]);
    this.check(
      'healthy, both',
      'every answer is 200',
      all.every(answered),
      all.map(brief).join('; '),
    );
    this.check(
      'bare, storagesvc slow',
      `GET ${SHIPPING.path}: p99 at least ${SLOWER} times the protected one's`,
      bare.slow.shipping.p99 >= SLOWER * Math.max(own.slow.shipping.p99, NOISE_MS),
      `${change(bare)}; protected ${time(own.slow.shipping.p99)}`,
    );
    this.check(
      'protected, storagesvc slow',
      `GET ${SHIPPING.path}: p99 within twice that of the healthy phase, every answer 200`,
      staysFast(own),
      change(own),
    );
    this.check(
      'protected, storagesvc slow',
      `GET ${BOOKS.path}: every answer 200, within the ${seconds(TOTAL_TIMEOUT_MS)} of the total timeout`,
      own.slow.books.max <= TOTAL_TIMEOUT_MS && answered(own.slow.books),
      `${brief(own.slow.books)}, max ${time(own.slow.books.max)}`,
    );
    this.check(
      'protected, storagesvc slow',
      `never all of the ${OUTGOING_SOCKETS} outgoing sockets in use`,
      own.slow.peaks.outgoing < OUTGOING_SOCKETS,
      `at most ${own.slow.peaks.outgoing}`,
    );
    const grown = (own.slow.used - own.healthy.used) / MB;
    const grownResident = (own.slow.peaks.resident - own.healthy.peaks.resident) / MB;
    this.check(
      'protected, storagesvc slow',
      'memory flat',
      grown <= USED_SLACK_MB && grownResident <= RESIDENT_SLACK_MB,
      `in use ${signed(grown, 1)} MB (resident ${signed(grownResident)} MB)`,
    );
  }

  override printTables(): void {
    if (this.compared !== undefined) {
      const words = this.holds ? ['', ...inWords(this.compared)] : [];
      print(['', ...LEGEND, '', ...comparison(this.compared), ...words].join('\n'));
    }
    super.printTables();
  }
}

const LEGEND = [
  'The same booksvc three times. bare: without any policy; no bulkhead: with timeouts, retries, circuit breaker',
  'and stale answers; protected: with a bulkhead too. healthy: all is well; slow: storagesvc takes its time.',
  'Customers ask again when they have their answer, so slow answers are fewer answers.',
];

function comparison({ bare, noBulkhead, protected: own }: Compared): string[] {
  const phases = [bare.healthy, bare.slow, noBulkhead.slow, own.healthy, own.slow];
  const head: Cells = [
    '',
    'bare, healthy',
    'bare, slow',
    'no bulkhead, slow',
    'protected, healthy',
    'protected, slow',
  ];
  const row = (name: string, cell: (phase: Phase) => string): Cells => [name, ...phases.map(cell)];
  const route = (of: (phase: Phase) => Seen, { path, count }: typeof BOOKS): Cells[] => [
    [`GET ${path}, ${count} customers`],
    row('  p50', (phase) => time(of(phase).p50)),
    row('  p90', (phase) => time(of(phase).p90)),
    row('  p99', (phase) => time(of(phase).p99)),
    row('  max', (phase) => time(of(phase).max)),
    row('  live', (phase) => String(of(phase).answers.live)),
    row('  stale', (phase) => String(of(phase).answers.stale)),
    row('  error', (phase) => String(of(phase).answers.error)),
    row(`  none in ${seconds(PATIENCE_MS)}`, (phase) => String(of(phase).answers['gave up'])),
  ];
  return table(
    head,
    [
      ...route(({ books }) => books, BOOKS),
      ...route(({ shipping }) => shipping, SHIPPING),
      ['booksvc'],
      row('  outgoing sockets, at most', ({ peaks }) => String(peaks.outgoing)),
      row('  incoming sockets, at most', ({ peaks }) => String(peaks.incoming)),
      row('  memory in use afterwards', ({ used }) => megabytes(used)),
      row('  resident memory, at most', ({ peaks }) => megabytes(peaks.resident)),
      row('  requests to storagesvc', ({ calls }) => String(calls)),
    ],
    [1, 2, 3, 4, 5],
  );
}

function inWords({ bare, noBulkhead, protected: own }: Compared): string[] {
  const times = Math.round(bare.slow.shipping.p99 / bare.healthy.shipping.p99);
  const { answers, p50, max } = own.slow.books;
  return [
    `storagesvc takes ${seconds(SLOW_MS)} for an answer, and GET ${SHIPPING.path} does not need storagesvc.`,
    '',
    `Bare, it is still ${times} times slower (p99 ${time(bare.slow.shipping.p99)}): the requests for books hold all`,
    `${OUTGOING_SOCKETS} connections of booksvc, and all its other requests wait behind them.`,
    `${bare.slow.books.answers['gave up']} requests for books had no answer after ${seconds(PATIENCE_MS)}.`,
    '',
    'Timeouts, the breaker and stale answers end this, but only when the first requests have timed out:',
    `until then the queue is as long (p99 ${time(noBulkhead.slow.shipping.p99)}).`,
    '',
    `The bulkhead prevents it: books get at most ${MAX_CONCURRENT} connections. GET ${SHIPPING.path} is as fast as`,
    `before (p99 ${time(own.slow.shipping.p99)}), and all ${answers.live + answers.stale} requests for books were answered,`,
    `half of them within ${time(p50)}, the slowest after ${time(max)}: ${answers.stale} with stale books.`,
  ];
}

/** Whether requests that do not need storagesvc stay fast. */
export function staysFast({ healthy, slow }: Phases): boolean {
  return slow.shipping.p99 <= 2 * healthy.shipping.p99 && answered(slow.shipping);
}

function answered({ answers }: Seen): boolean {
  return answers.error + answers['gave up'] === 0 && answers.live + answers.stale > 0;
}

function brief({ answers }: Seen): string {
  return Object.entries(answers)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

function change({ healthy, slow }: Phases): string {
  return `${time(healthy.shipping.p99)}, then ${time(slow.shipping.p99)}`;
}

function time(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}

function signed(number: number, digits = 0): string {
  return `${number < 0 ? '-' : '+'}${Math.abs(number).toFixed(digits)}`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
