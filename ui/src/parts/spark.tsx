interface Props {
  readonly values: readonly (number | null)[];
  readonly label: string;
}

const WIDTH = 110;
const HEIGHT = 26;

/** A curve without axes, for a row of a table. */
export function Spark({ values, label }: Props) {
  const highest = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, at) => {
    const share = highest === 0 ? 0 : (value ?? 0) / highest;
    return `${(at * step).toFixed(1)},${(HEIGHT - 2 - share * (HEIGHT - 4)).toFixed(1)}`;
  });
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
