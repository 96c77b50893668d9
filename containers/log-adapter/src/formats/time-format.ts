// Times of a given form, as strptime(3) describes it: what is read is written anew in the form that the general reader of
// times knows, which then minds zones and what is missing.

/** Gives the time in a form that the general reader knows; undefined where the text has another form. */
export type TimeFormat = (text: string) => string | undefined;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: "(?<year>\\d{4})",
  y: "(?<short>\\d{2})",
  m: "(?<month>\\d{1,2})",
  d: " ?(?<day>\\d{1,2})",
  e: " ?(?<day>\\d{1,2})",
  H: " ?(?<hour>\\d{1,2})",
  k: " ?(?<hour>\\d{1,2})",
  I: " ?(?<hour>\\d{1,2})",
  l: " ?(?<hour>\\d{1,2})",
  M: "(?<minute>\\d{1,2})",
  S: "(?<second>\\d{1,2})",
  L: "(?<fraction>\\d{1,9})",
  f: "(?<fraction>\\d{1,9})",
  N: "(?<fraction>\\d{1,9})",
  b: "(?<name>[A-Za-z]{3})",
  h: "(?<name>[A-Za-z]{3})",
  B: "(?<name>[A-Za-z]{3})[a-z]{0,6}",
  a: "[A-Za-z]{2,9}",
  A: "[A-Za-z]{2,9}",
  p: "(?<half>[AaPp][Mm])",
  z: "(?<zone>Z|[+-]\\d\\d:?\\d\\d)",
  Z: "(?<zone>[A-Z]{1,5})",
  s: "(?<epoch>\\d{9,19}(?:\\.\\d{1,9})?)",
  i: "(?<epoch>\\d{12,14})",
  "%": "%",
};
const COMPOUND: Readonly<Record<string, string>> = { T: "%H:%M:%S", D: "%m/%d/%y", F: "%Y-%m-%d", R: "%H:%M" };

/** Throws an error that says which directive it does not know. */
export function compileTimeFormat(format: string): TimeFormat {
  const plain = format.replace(/%([TDFR])/g, (_, name: string) => COMPOUND[name]!);
  const source = plain.replace(/%(.)|(\s+)|([^%\s]+)|%$/g, (all, directive?: string, space?: string) => {
    if (space !== undefined) return "\\s+";
    if (directive === undefined && all !== "%") return all.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    const part = DIRECTIVES[directive ?? ""];
    if (part === undefined) throw new Error(`expected directives of strptime, got ${all} in ${format}`);
    return part;
  });
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^\\s*${source}\\s*$`);
  } catch {
    throw new Error(`expected each directive only once, got ${format}`);
  }
  return (text) => {
    const groups = text.length > 200 ? undefined : pattern.exec(text)?.groups;
    return groups === undefined ? undefined : (groups["epoch"] ?? writtenOf(groups));
  };
}

type Groups = Readonly<Partial<Record<string, string>>>;

function writtenOf(groups: Groups): string {
  const date = dateOf(groups);
  const time = clockOf(groups);
  return date === undefined ? time : `${date} ${time}`;
}

const two = (text: string): string => text.padStart(2, "0");

function clockOf({ hour = "00", minute = "00", second = "00", fraction, half, zone }: Groups): string {
  const parts = [
    `${two(hour)}:${two(minute)}:${two(second)}${fraction === undefined ? "" : `.${fraction}`}`,
    half,
    zone,
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}

/** Without a year where none is written; nothing where there is no date. */
function dateOf({ year, short, month, name, day }: Groups): string | undefined {
  const number = name === undefined ? month : monthOf(name);
  if (number === undefined || day === undefined) return undefined;
  const whole = year ?? (short === undefined ? undefined : centuryOf(short));
  return `${whole === undefined ? "" : `${whole}-`}${two(number)}-${two(day)}`;
}

function monthOf(name: string): string {
  const at = MONTHS.indexOf(name.toLowerCase());
  return at < 0 ? "99" : String(at + 1);
}

const centuryOf = (short: string): string => `${Number(short) < 70 ? "20" : "19"}${short}`;
