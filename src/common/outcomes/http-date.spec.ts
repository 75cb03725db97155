import fc from 'fast-check';
import { parseHttpDate } from './http-date.js';

const wall = Date.parse('2026-06-15T12:00:00Z');
const NOVEMBER = Date.parse('1994-11-06T08:49:37Z');

describe('parseHttpDate', () => {
  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['asctime', 'Sun Nov  6 08:49:37 1994'],
  ])('reads the example of RFC 9110 in the form %s', (_form, text) => {
    expect(parseHttpDate(text, wall)).toBe(NOVEMBER);
  });

  it.each([
    ['76', '2076'],
    ['77', '1977'],
    ['26', '2026'],
    ['00', '2000'],
  ])('reads the year %s as %s', (short, year) => {
    expect(parseHttpDate(`Monday, 01-Jan-${short} 00:00:00 GMT`, wall)).toBe(
      Date.parse(`${year}-01-01T00:00:00Z`),
    );
  });

  it.each(['Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur', 'Sun'])(
    'accepts %sday, whether or not it is the day of that date',
    (day) => {
      const short = day.slice(0, 3);
      for (const text of [
        `${short}, 06 Nov 1994 08:49:37 GMT`,
        `${day}day, 06-Nov-94 08:49:37 GMT`,
        `${short} Nov  6 08:49:37 1994`,
      ]) {
        expect(parseHttpDate(text, wall)).toBe(NOVEMBER);
      }
    },
  );

  it.each([
    ['Jan', 1],
    ['Feb', 2],
    ['Mar', 3],
    ['Apr', 4],
    ['May', 5],
    ['Jun', 6],
    ['Jul', 7],
    ['Aug', 8],
    ['Sep', 9],
    ['Oct', 10],
    ['Nov', 11],
    ['Dec', 12],
  ])('reads the month %s', (name, month) => {
    const first = Date.UTC(1994, month - 1, 1);
    for (const text of [
      `Sun, 01 ${name} 1994 00:00:00 GMT`,
      `Sunday, 01-${name}-94 00:00:00 GMT`,
      `Sun ${name}  1 00:00:00 1994`,
    ]) {
      expect(parseHttpDate(text, wall)).toBe(first);
    }
  });

  it('reads a day of two digits in every form', () => {
    for (const text of [
      'Wed, 16 Nov 1994 08:49:37 GMT',
      'Wednesday, 16-Nov-94 08:49:37 GMT',
      'Wed Nov 16 08:49:37 1994',
    ]) {
      expect(parseHttpDate(text, wall)).toBe(Date.parse('1994-11-16T08:49:37Z'));
    }
  });

  it('reads a leap second as the first second of the next minute', () => {
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', wall)).toBe(
      Date.parse('2017-01-01T00:00:00Z'),
    );
  });

  it.each([
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Xyz, 06 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Xyzday, 06-Nov-94 08:49:37 GMT',
    ' Sunday, 06-Nov-94 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT ',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Xyz Nov  6 08:49:37 1994',
    ' Sun Nov  6 08:49:37 1994',
    'Sun Nov  6 08:49:37 1994 ',
    'Sun Nov  6 08:49:37 94',
    'Sun Nov x6 08:49:37 1994',
    'Sun Nov 6 08:49:37 1994',
    '1994-11-06T08:49:37Z',
    'tomorrow',
    '',
  ])('does not read %j', (text) => {
    expect(parseHttpDate(text, wall)).toBeUndefined();
  });

  it('reads the output of toUTCString() for any second of four-digit years', () => {
    const [min, max] = [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59Z')];
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        date.setUTCMilliseconds(0);
        expect(parseHttpDate(date.toUTCString(), wall)).toBe(date.getTime());
      }),
    );
  });
});
