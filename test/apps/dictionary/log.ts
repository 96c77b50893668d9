// The log as somebody once thought it should look: local time without a zone, one letter for the level, and a tilde.
// `!22-Nov-2026 13:05:11.042 [W] lookup/aple ~ miss (3ms) peer=127.0.0.1 xff=-`; a stack trace follows on lines of its own.

/** Debug, info, warning, error. */
export type Level = "D" | "I" | "W" | "E";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const padded = (value: number, width: number): string => String(value).padStart(width, "0");

/** `22-Nov-2026 13:05:11`, in local time. */
export function stampOf(date: Date): string {
  const day = `${padded(date.getDate(), 2)}-${MONTHS[date.getMonth()]}-${date.getFullYear()}`;
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => padded(part, 2)).join(":")}`;
}

/** One entry of the log, with its line feed. */
export function entryOf(date: Date, level: Level, text: string): string {
  return `!${stampOf(date)}.${padded(date.getMilliseconds(), 3)} [${level}] ${text}\n`;
}
