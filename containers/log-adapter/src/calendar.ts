// Days of dates as logs write them: with a year of two digits or none, and with day and month in either order.

/** Which group of a match holds what. */
export type Groups = {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  readonly hour: number;
  /** Groups of a date like 01/02/2006, where it depends which is the day. */
  readonly first?: number;
};

export type Calendar = {
  /** The day in milliseconds, as if it were UTC, or NaN where there is no such day; `clockMs` is the time of day. */
  dayOf(match: RegExpExecArray, groups: Groups, clockMs: number): number;
};

const DAY_MS = 86_400_000;

/** `now` is the clock that a missing year is taken from, in milliseconds. */
export function createCalendar(now: () => number): Calendar {
  /** Whether a date like 01/02/2006 has been seen to begin with its day. */
  let dayFirst = false;
  const dateMs = createDates(dateMsOf);
  const writtenDate = createDates((year: string, month: string, day: string) =>
    dateMsOf(yearOf(year), monthOf(month), Number(day)),
  );
  const yearAt = createYears();
  return { dayOf };

  /** The day in milliseconds, as if it were UTC; a year or a date that is missing is the latest that is not to come. */
  function dayOf(match: RegExpExecArray, { year, month, day, first }: Groups, clockMs: number): number {
    if (first !== undefined) return numberedDayOf(match, first);
    if (year !== undefined) return writtenDate(match[year]!, match[month!]!, match[day!]!);
    const latest = now() + DAY_MS;
    if (month === undefined || day === undefined) {
      return Math.floor((latest - clockMs - DAY_MS / 2) / DAY_MS) * DAY_MS;
    }
    const m = monthOf(match[month]!);
    const d = Number(match[day]);
    const current = yearAt(latest);
    // Eight years back there is a 29 February, whatever the century.
    for (let candidate = current; candidate > current - 9; candidate--) {
      const ms = dateMs(candidate, m, d);
      if (ms + clockMs <= latest) return ms;
    }
    return Number.NaN;
  }

  /** The day of a date in numbers only: what cannot be a month tells; two digits of a year may also come first. */
  function numberedDayOf(match: RegExpExecArray, first: number): number {
    const [a, separator, b, c] = [match[first]!, match[first + 1]!, match[first + 2]!, match[first + 3]!];
    const [x, y] = [Number(a), Number(b)];
    if (c.length === 2 && separator !== "." && isYearFirst(x, y, Number(c))) return dateMs(yearOf(a), y, Number(c));
    if (x > 12) dayFirst = true;
    else if (y > 12) dayFirst = false;
    const european = x > 12 || (y <= 12 && (dayFirst || separator === "."));
    return european ? dateMs(yearOf(c), y, x) : dateMs(yearOf(c), x, y);
  }

  /** Whether three numbers of two digits rather begin with the year: otherwise it would be a day, or yet to come. */
  function isYearFirst(first: number, month: number, last: number): boolean {
    const current = yearAt(now()) % 100;
    return month <= 12 && last <= 31 && (first > 12 || (first <= current && last > current));
  }
}

export const isCapital = (code: number): boolean => code >= 65 && code <= 90;

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

const monthOf = (text: string): number =>
  isCapital(text.charCodeAt(0)) ? MONTHS.indexOf(text.slice(0, 3).toLowerCase()) / 3 + 1 : Number(text);

const yearOf = (text: string): number =>
  text.length === 4 ? Number(text) : Number(text) + (Number(text) < 70 ? 2000 : 1900);

/** Dates of one log follow each other, so the last is remembered. */
function createDates<T>(msOf: (year: T, month: T, day: T) => number): (year: T, month: T, day: T) => number {
  let last: { readonly year: T; readonly month: T; readonly day: T; readonly ms: number } | undefined;
  return (year, month, day) => {
    if (last === undefined || day !== last.day || month !== last.month || year !== last.year) {
      last = { year, month, day, ms: msOf(year, month, day) };
    }
    return last.ms;
  };
}

/** The day of a date in milliseconds, NaN where there is none. */
function dateMsOf(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > 31 || year < 1970) return Number.NaN;
  const ms = Date.UTC(year, month - 1, day);
  return day > 28 && new Date(ms).getUTCDate() !== day ? Number.NaN : ms;
}

/** The year of an instant in milliseconds; asked for the same year again and again. */
function createYears(): (ms: number) => number {
  let [year, from, to] = [0, 0, 0];
  return (ms) => {
    if (ms < from || ms >= to) {
      year = new Date(ms).getUTCFullYear();
      [from, to] = [Date.UTC(year, 0), Date.UTC(year + 1, 0)];
    }
    return year;
  };
}
