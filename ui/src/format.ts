/** Numbers and times as a person on call reads them. */

/** `1.2 k`, `3.4 M`; small numbers with up to one decimal. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1e6) return `${trim(value / 1e6)} M`;
  if (value >= 1e4) return `${trim(value / 1e3)} k`;
  return trim(value);
}

/** A share of 0 to 1 as per cent. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  const value = share * 100;
  return `${value > 0 && value < 0.1 ? '< 0.1' : trim(value)} %`;
}

/** Milliseconds in the unit that fits. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 1) return ms === 0 ? '0 ms' : '< 1 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${trim(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor((ms % 60_000) / 1_000);
  if (minutes < 60) return `${minutes} min${minutes < 10 && seconds > 0 ? ` ${seconds} s` : ''}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The same for durations that need not be known to the second. */
export function roughly(ms: number): string {
  return ms < 60_000 ? 'less than 1 min' : duration(Math.floor(ms / 60_000) * 60_000);
}

/** The time that is left, in whole seconds. */
export function countdown(ms: number): string {
  return duration(Math.max(1, Math.ceil(ms / 1_000)) * 1_000);
}

/** The time of the day; with the date when it is another day than `today`. @param today as by `toDateString()` */
export function timeOf(at: number, today: string): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return date.toDateString() === today ? time : `${date.toLocaleDateString()} ${time}`;
}

/** `2 dependencies`, `1 dependency`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}
