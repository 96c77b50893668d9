// logfmt: names and values with `=` between them, as logrus, slog, Heroku and many Go programs write it.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { severityOfNumber, severityOfWord } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";

const PAIR = /([A-Za-z_@][\w.@/-]{0,80})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)|([A-Za-z_][\w.-]{0,80})(?=\s|$)/y;
const TIME = new Set(["time", "ts", "t", "timestamp", "@timestamp"]);
const LEVEL = new Set(["level", "lvl", "severity", "at"]);
const BODY = new Set(["msg", "message"]);
const MAX_PAIRS = 200;

export const readLogfmt: Format = (line, reading, times) => {
  let at = 0;
  let known = 0;
  reading.body = line;
  for (let pairs = 0; at < line.length && pairs < MAX_PAIRS; pairs++) {
    PAIR.lastIndex = at;
    const match = PAIR.exec(line);
    if (match === null || (pairs === 0 && match[4] !== undefined)) return false;
    const name = match[1] ?? match[4]!;
    const value = valueOf(match);
    if (takeKnown(name, String(value), reading, times)) known++;
    else addAttribute(reading, name, value);
    at = skipSpaces(line, PAIR.lastIndex);
  }
  // Any words with an equals sign among them would fit; a record has a time, a level or a message, and two pairs.
  if (known === 0 || !line.includes("=", line.indexOf("=") + 1)) return false;
  reading.format = "logfmt";
  return true;
};

/** A name without a value is true. */
const valueOf = (match: RegExpExecArray): string | true =>
  match[2] === undefined ? (match[3] ?? true) : unescape(match[2]);

function skipSpaces(line: string, from: number): number {
  let at = from;
  while (line.charCodeAt(at) === 32 || line.charCodeAt(at) === 9) at++;
  return at;
}

/** Takes what the record itself has a place for. */
function takeKnown(name: string, value: string, reading: Reading, times: TimeReader): boolean {
  if (TIME.has(name) && (times.readEpoch(value) || times.read(value, 0) >= 0)) {
    takeTime(reading, times);
    return true;
  }
  const severity = LEVEL.has(name) ? levelOf(value) : 0;
  if (severity > 0) {
    setSeverity(reading, value, severity);
    return true;
  }
  if (!BODY.has(name)) return false;
  reading.body = value;
  return true;
}

const levelOf = (text: string): number =>
  severityOfWord(text) || (/^\d{1,5}$/.test(text) ? severityOfNumber(Number(text)) : 0);

const unescape = (text: string): string =>
  text.includes("\\")
    ? text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char === "t" ? "\t" : char))
    : text;
