/** The samples of Prometheus' text format, by name and labels as they stand there. */
export function samplesIn(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, series, value] = /^(.*?\}?) (\S+)(?: #.*)?$/.exec(line)!;
    if (samples.has(series!)) throw new Error(`twice: ${series}`);
    samples.set(series!, Number(value));
  }
  return samples;
}
