interface Props {
  readonly values: readonly (number | null)[];
  /** Shares of the values, 0 to 1, as a second curve. */
  readonly shares?: readonly (number | null)[];
  readonly label: string;
}

const WIDTH = 120;
const HEIGHT = 28;
const POINTS = 60;

type Point = readonly [x: number, y: number];

/** A curve without axes, for a row of a table. Unknown values are gaps. */
export function Spark({ values, shares = [], label }: Props) {
  const highest = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
  const requests = runsOf(values.map((value) => value && value / (highest || 1)));
  const wrong = shares.some((share) => (share ?? 0) > 0) ? runsOf(shares) : [];
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {highest > 0 &&
        requests.map((run, at) => <polygon key={at} class="area" points={textOf(areaOf(run))} />)}
      {requests.map((run, at) => (
        <polyline key={at} class="first" points={textOf(run)} />
      ))}
      {wrong.map((run, at) => (
        <polyline key={at} class="second" points={textOf(run)} />
      ))}
    </svg>
  );
}

/** Shares as runs of points, with gaps where nothing is known; as many points as fit, each the highest of its values. */
function runsOf(shares: readonly (number | null)[]): Point[][] {
  const wide = Math.max(1, Math.ceil(shares.length / POINTS));
  const step = WIDTH / Math.max(1, Math.ceil(shares.length / wide) - 1);
  const runs: Point[][] = [];
  let run: Point[] | undefined;
  for (let at = 0; at < shares.length; at += wide) {
    const known = shares.slice(at, at + wide).filter((share) => share !== null);
    if (known.length === 0) {
      run = undefined;
      continue;
    }
    if (run === undefined) runs.push((run = []));
    run.push([(at / wide) * step, HEIGHT - 2 - Math.max(...known) * (HEIGHT - 4)]);
  }
  return runs;
}

/** The area between a run and the base line. */
function areaOf(run: readonly Point[]): Point[] {
  return [[run[0]![0], HEIGHT], ...run, [run.at(-1)![0], HEIGHT]];
}

function textOf(points: readonly Point[]): string {
  return points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
}
