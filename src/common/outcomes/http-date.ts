const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';

/** The three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850, asctime. */
const FORMS = [
  `^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
  `^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`,
  `^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`,
].map((form) => new RegExp(form));

/**
 * Milliseconds since the epoch of an HTTP-date (RFC 9110, 5.6.7); `undefined` for anything else. Not by `Date.parse`, which
 * finds dates in nearly any text.
 *
 * @param wall the current time, which decides the century of a two-digit year
 */
export function parseHttpDate(text: string, wall: number): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(text)?.groups;
    if (found !== undefined) return toTime(found, wall);
  }
  return undefined;
}

function toTime(found: Readonly<Record<string, string>>, wall: number): number | undefined {
  const [day, hour, minute, second] = [found.day, found.hour, found.minute, found.second].map(
    Number,
  ) as [number, number, number, number];
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const month = MONTHS.indexOf(found.month!);
  const year = yearOf(found.year!, wall);
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // 30 February would have become another day, in March.
  if (date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second);
}

/** A two-digit year that seems to be more than 50 years in the future belongs to the previous century (RFC 9110, 5.6.7). */
function yearOf(digits: string, wall: number): number {
  if (digits.length === 4) return Number(digits);
  const now = new Date(wall).getUTCFullYear();
  const year = Math.floor(now / 100) * 100 + Number(digits);
  return year > now + 50 ? year - 100 : year;
}
