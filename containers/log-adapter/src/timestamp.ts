// Times as logs write them. A reader recognises a time at a position of a line and says where it ends; which forms are
// tried follows from the first characters alone, and each form is one anchored expression without nested repetition.
import { createCalendar, isCapital } from "./calendar.ts";
import type { Groups } from "./calendar.ts";
import { createTimeZone, ZONE_MINUTES } from "./time-zone.ts";

export type TimeReader = {
  /** Forgets what it remembers of the line before: several formats read the same time of a line. */
  begin(): void;
  /** Reads a time that begins at `at`; returns where it ends, or -1. What it read is in the fields below. */
  read(line: string, at: number): number;
  /** Reads a number, or a number as text, that is a time since 1970 in seconds, milli-, micro- or nanoseconds. */
  readEpoch(text: string): boolean;
  readEpochNumber(value: number): boolean;
  /** The instant in milliseconds since 1970, without what is finer. */
  ms: number;
  /** Nanoseconds beyond `ms`: 0 to 999 999. */
  nanos: number;
};

export type TimeSettings = {
  /** The zone of times that name none. */
  readonly zone: string;
  /** The clock that a missing year is taken from, in milliseconds. */
  readonly now: () => number;
};

type Form = {
  readonly pattern: RegExp;
  /** Which group holds what; 0 where the form has no such group. */
  readonly groups: Groups;
};

const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)[a-z]{0,6}";
const WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?[ -]";
const NAMES = Object.keys(ZONE_MINUTES).join("|");
const NUMERIC = "[+-]\\d\\d:?\\d\\d";
/** Groups: hour, minute, second, fraction, am or pm, zone. */
const clock = (separator = ":"): string =>
  `(\\d{1,2})${separator}(\\d{1,2})(?:${separator}(\\d{1,2})(?:[.,:](\\d{1,9})\\d*)?)?(?: ?([AaPp]\\.?[Mm]\\.?)(?!\\w))?`;
const ZONE = `(?: ?((?:(?:GMT|UTC)?${NUMERIC}|[+-]\\d\\d|${NAMES})(?![\\w:-]))(?: (?:${NAMES})(?!\\w))?(?:\\[[A-Za-z_]{1,20}/[A-Za-z_/]{1,30}\\])?)?`;
const sticky = (source: string): RegExp => new RegExp(source, "y");
const form = (source: string, groups: Groups): Form => ({ pattern: sticky(source), groups });

const BETWEEN = "(?:[T_:@-]| {1,3}|, ?| - )";
const ISO = form(`(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})${BETWEEN}${clock()}${ZONE}`, {
  year: 1,
  month: 2,
  day: 3,
  hour: 4,
});
const ISO_DOTS = form(`(\\d{4})-(\\d\\d)-(\\d\\d)[-T_ ]${clock("[.-]")}${ZONE}`, {
  year: 1,
  month: 2,
  day: 3,
  hour: 4,
});
const COMPACT = form(`(\\d{4})(\\d\\d)(\\d\\d)(?:[T_-]| {1,3})${clock(":?")}${ZONE}`, {
  year: 1,
  month: 2,
  day: 3,
  hour: 4,
});
const COMPACT_WHOLE = form(`(\\d{4})(\\d\\d)(\\d\\d)(?=\\d{6}(?!\\d))${clock("")}${ZONE}`, {
  year: 1,
  month: 2,
  day: 3,
  hour: 4,
});
const SHORT_COMPACT = form(`(\\d\\d)(\\d\\d)(\\d\\d) {1,2}${clock(":?")}${ZONE}`, {
  year: 1,
  month: 2,
  day: 3,
  hour: 4,
});
const NUMBERS = form(`(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d\\d)(?!\\d)${BETWEEN}${clock()}${ZONE}`, {
  first: 1,
  hour: 5,
});
const MONTH_DAY = form(`(\\d{1,2})[-/.](\\d{1,2})[ T]${clock()}${ZONE}`, { month: 1, day: 2, hour: 3 });
const DAY_MONTH = form(
  `(\\d{1,2})[ /-]?${MONTH}[ /-]?(\\d{4}|\\d\\d(?!:\\d\\d:))(?:::?|[T-]|,? {1,3})${clock()}${ZONE}`,
  {
    day: 1,
    month: 2,
    year: 3,
    hour: 4,
  },
);
const DAY_MONTH_ONLY = form(`(\\d{1,2}) ${MONTH} ${clock()}${ZONE}`, { day: 1, month: 2, hour: 3 });
const CLOCK_ONLY = form(`(?=\\d{1,2}:\\d\\d(?::\\d\\d|[AP]M ))${clock()}${ZONE}`, { hour: 1 });
const MONTH_FIRST = form(`(?:${WEEKDAY} {0,2})?${MONTH} {1,2}(\\d{1,2}),? {1,2}(\\d{4}),? (?:at )?${clock()}${ZONE}`, {
  month: 1,
  day: 2,
  year: 3,
  hour: 4,
});
const YEAR_LAST = form(`(?:${WEEKDAY} {0,2})?${MONTH} {1,2}(\\d{1,2}) ${clock()}${ZONE} (\\d{4})(?![\\d:.-])`, {
  month: 1,
  day: 2,
  hour: 3,
  year: 9,
});
const NO_YEAR = form(`(?:${WEEKDAY} {0,2})?${MONTH} {1,2}(\\d{1,2}),? {1,2}${clock()}${ZONE}`, {
  month: 1,
  day: 2,
  hour: 3,
});
const WEEKDAY_FIRST = form(`${WEEKDAY}(\\d{1,2})[ -]${MONTH}[ -](\\d{4}|\\d\\d) {1,2}${clock()}${ZONE}`, {
  day: 1,
  month: 2,
  year: 3,
  hour: 4,
});
const EPOCH = sticky("(?:1[0-9]|[2-9])\\d{8}(?:\\d{9}|\\d{6}|\\d{3})?(?:\\.\\d{1,9})?(?![\\w.-])");

/** Which forms to try, by the number of digits that the text begins with. */
const BY_DIGITS: readonly (readonly Form[])[] = [
  [YEAR_LAST, MONTH_FIRST, NO_YEAR, WEEKDAY_FIRST],
  [NUMBERS, DAY_MONTH, DAY_MONTH_ONLY, CLOCK_ONLY, MONTH_DAY],
  [NUMBERS, DAY_MONTH, DAY_MONTH_ONLY, CLOCK_ONLY, MONTH_DAY],
  [],
  [ISO, ISO_DOTS],
  [],
  [SHORT_COMPACT],
  [],
  [COMPACT],
  [],
  [],
  [],
  [],
  [],
  [COMPACT_WHOLE],
];

type FormReader = Omit<TimeReader, "begin">;

export function createTimeReader(settings: TimeSettings): TimeReader {
  const forms = createFormReader(settings);
  const last = { at: -1, line: "", end: -1, ms: Number.NaN, nanos: 0 };
  const reader: TimeReader = {
    begin: () => void (last.at = -1),
    read: (line, at) => {
      if (at !== last.at || line !== last.line) remember(line, at, forms.read(line, at));
      reader.ms = last.ms;
      reader.nanos = last.nanos;
      return last.end;
    },
    readEpoch: (text) => taken(forms.readEpoch(text)),
    readEpochNumber: (value) => taken(forms.readEpochNumber(value)),
    ms: Number.NaN,
    nanos: 0,
  };
  return reader;

  function taken(isRead: boolean): boolean {
    reader.ms = forms.ms;
    reader.nanos = forms.nanos;
    return isRead;
  }

  function remember(line: string, at: number, end: number): void {
    last.at = at;
    last.line = line;
    last.end = end;
    last.ms = forms.ms;
    last.nanos = forms.nanos;
  }
}

/** Reads each time anew. */
function createFormReader({ zone, now }: TimeSettings): FormReader {
  const local = createTimeZone(zone);
  const calendar = createCalendar(now);
  const reader: FormReader = { read, readEpoch, readEpochNumber, ms: Number.NaN, nanos: 0 };
  const offsetOf = createOffsets();
  return reader;

  function read(line: string, at: number): number {
    const digits = digitsAt(line, at);
    if (digits >= 10 && digits !== 14) return epochAt(line, at);
    if (digits === 0 && !isCapital(line.charCodeAt(at))) return -1;
    for (const { pattern, groups } of BY_DIGITS[digits] ?? []) {
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match !== null && take(match, groups)) return pattern.lastIndex;
    }
    return -1;
  }

  function epochAt(line: string, at: number): number {
    EPOCH.lastIndex = at;
    const match = EPOCH.exec(line);
    return match !== null && readEpoch(match[0]) ? at + match[0].length : -1;
  }

  function readEpoch(text: string): boolean {
    const [whole = "", fraction = ""] = text.split(".");
    if (!/^\d{9,19}$/.test(whole) || !/^\d*$/.test(fraction)) return false;
    // Ten digits are seconds until the year 2286; each unit has three more.
    const power = whole.length <= 11 ? 0 : whole.length <= 14 ? 3 : whole.length <= 17 ? 6 : 9;
    const seconds = whole.slice(0, whole.length - power);
    return finish(Number(seconds) * 1000, (whole.slice(whole.length - power) || "") + fraction);
  }

  function readEpochNumber(value: number): boolean {
    // Milliseconds, as most write them.
    if (!Number.isInteger(value) || value < 1e11 || value >= 1e14) {
      return readEpoch(Number.isInteger(value) ? String(value) : value.toFixed(6));
    }
    reader.ms = value;
    reader.nanos = 0;
    return true;
  }

  function take(match: RegExpExecArray, groups: Groups): boolean {
    const { hour } = groups;
    const h = hourOf(Number(match[hour]), match[hour + 4]);
    const minute = Number(match[hour + 1]);
    const second = Number(match[hour + 2] ?? 0);
    if (!(h < 24 && minute < 60 && second <= 60)) return false;
    const clockMs = ((h * 60 + minute) * 60 + second) * 1000;
    const offset = offsetOf(match[hour + 5]);
    const dayMs = calendar.dayOf(match, groups, clockMs);
    if (Number.isNaN(dayMs)) return false;
    const ms = dayMs + clockMs;
    return finish(offset === undefined ? local.instantOf(ms) : ms - offset, match[hour + 3] ?? "");
  }

  function finish(wholeMs: number, fraction: string): boolean {
    const nanos = fraction === "" ? 0 : Number(fraction.slice(0, 9)) * POWERS[Math.max(0, 9 - fraction.length)]!;
    const millis = Math.floor(nanos / 1e6);
    reader.ms = wholeMs + millis;
    reader.nanos = nanos - millis * 1e6;
    return true;
  }
}

const POWERS = Array.from({ length: 10 }, (_, i) => 10 ** i);

function digitsAt(line: string, at: number): number {
  let end = at;
  for (let code = line.charCodeAt(end); code >= 48 && code <= 57 && end - at < 20; code = line.charCodeAt(++end));
  return end - at;
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  const isAfternoon = half.charCodeAt(0) === 80 || half.charCodeAt(0) === 112;
  return (hour % 12) + (isAfternoon ? 12 : 0);
}

/** The offset of a written zone in milliseconds, undefined where none is written; the zone of one log is seldom another. */
function createOffsets(): (text: string | undefined) => number | undefined {
  let [last, offset] = ["Z", 0];
  return (text) => {
    if (text === undefined) return undefined;
    if (text !== last) [last, offset] = [text, offsetOf(text)];
    return offset;
  };
}

function offsetOf(text: string): number {
  const named = ZONE_MINUTES[text];
  if (named !== undefined) return named * 60_000;
  const sign = text.search(/[+-]/);
  const digits = text.slice(sign + 1).replace(":", "");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (text.charCodeAt(sign) === 45 ? -minutes : minutes) * 60_000;
}
