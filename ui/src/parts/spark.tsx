interface Props {
  readonly values: readonly (number | null)[];
  /** Shares of the values, 0 to 1, as a second curve. */
  readonly shares?: readonly (number | null)[];
  readonly label: string;
}

const WIDTH = 120;
const HEIGHT = 28;
const POINTS = 60;

/** A curve without axes, for a row of a table. */
export function Spark({ values, shares = [], label }: Props) {
  const highest = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
  const requests = pointsOf(
    values.map((value) => (value === null ? null : value / (highest || 1))),
  );
  const wrong = shares.some((share) => (share ?? 0) > 0);
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
      {highest > 0 && (
        <polygon class="area" points={`0,${HEIGHT} ${requests} ${WIDTH},${HEIGHT}`} />
      )}
      <polyline class="first" points={requests} />
      {wrong && <polyline class="second" points={pointsOf(shares)} />}
    </svg>
  );
}

/** Shares as points; as many as there is room for, each the highest of its share of the values. */
function pointsOf(shares: readonly (number | null)[]): string {
  const wide = Math.max(1, Math.ceil(shares.length / POINTS));
  const points: string[] = [];
  const step = WIDTH / Math.max(1, Math.ceil(shares.length / wide) - 1);
  for (let at = 0; at < shares.length; at += wide) {
    const share = shares.slice(at, at + wide).reduce<number>((a, b) => Math.max(a, b ?? 0), 0);
    const x = (at / wide) * step;
    points.push(`${x.toFixed(1)},${(HEIGHT - 2 - share * (HEIGHT - 4)).toFixed(1)}`);
  }
  return points.join(' ');
}
