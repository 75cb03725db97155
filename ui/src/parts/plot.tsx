import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** One line of a plot. */
export interface Line {
  readonly label: string;
  /** A custom property of the style sheet that holds the colour. */
  readonly colour: string;
  /** Values at the times of the plot; `null` where there is none. */
  readonly values: readonly (number | null)[];
  readonly dashed?: boolean;
}

interface Props {
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Changes when the colours of the page do. */
  readonly theme: string;
}

const HEIGHT = 150;

const clock = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });

/** A colour of the style sheet in a form that a canvas accepts: a property may hold one for light and one for dark. */
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(--${name})`;
  const { color } = getComputedStyle(element);
  element.style.removeProperty('color');
  return color;
}

/** A plot of the last quarter of an hour, with its newest values in words for those who cannot see it. */
export function Plot({ title, times, lines, format, theme }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const shape = lines.map(({ label }) => label).join();

  useEffect(() => {
    const element = place.current!;
    const made = new uPlot(optionsOf(element, lines, format), data, element);
    plot.current = made;
    const resized = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, theme]);

  useEffect(() => plot.current?.setData(data), [times, lines]);

  const words = lines.map(({ label, values }) => {
    const last = values.at(-1);
    return `${label} ${last == null ? 'no data' : format(last)}`;
  });
  return (
    <figure class="plot">
      <figcaption>
        {title}
        <span class="legend">
          {lines.map(({ label, colour, dashed }, at) => (
            <span key={label} class="key">
              <svg width="16" height="6" aria-hidden="true">
                <line
                  x1="0"
                  y1="3"
                  x2="16"
                  y2="3"
                  class={`line-${colour}`}
                  stroke-dasharray={dashed ? '4 3' : undefined}
                />
              </svg>
              {words[at]}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={place} class="canvas" role="img" aria-label={`${title}: ${words.join(', ')}`} />
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
): uPlot.Options {
  const colour = (name: string): string => colourOf(element, name);
  const axis: uPlot.Axis = {
    stroke: colour('quiet'),
    grid: { stroke: colour('rule'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [
      { ...axis, size: 28, values: (_plot, ticks) => ticks.map((at) => clock.format(at * 1_000)) },
      { ...axis, size: 64, values: (_plot, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name, dashed }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
        ...(dashed ? { dash: [4, 3] } : {}),
      })),
    ],
  };
}
