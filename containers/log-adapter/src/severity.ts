// Severities in the numbers of the OpenTelemetry log data model, whatever a log calls them. 0 is unspecified.

/** The lowest number of each range. */
export const SEVERITY = {
  trace: 1,
  debug: 5,
  info: 9,
  notice: 10,
  warn: 13,
  error: 17,
  critical: 18,
  alert: 19,
  fatal: 21,
} as const;

const WORDS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    1: "trace trc finest silly all verbose5 trce trace1",
    2: "trace2",
    3: "trace3",
    4: "trace4 trace5 trace6 trace7 trace8",
    5: "debug dbg dbug finer debug1",
    6: "fine verbose debug2 verb",
    7: "config debug3 debug4 debug5",
    9: "info inf information informational note log system default http success ok audit info1 statement",
    10: "notice",
    13: "warn warning wrn warnings",
    17: "error err eror severe fail failure failed",
    18: "critical crit dpanic",
    19: "alert panic",
    21: "fatal emergency emerg ftl fault",
  }).flatMap(([number, words]) => words.split(" ").map((word) => [word, Number(number)] as const)),
);

const LETTERS: Readonly<Record<string, number>> = {
  T: 1,
  V: 1,
  D: 5,
  I: 9,
  N: 10,
  W: 13,
  E: 17,
  C: 18,
  A: 19,
  F: 21,
  S: 17,
};

/** Words that no application uses but as a level when they stand alone in capital letters. */
const UPPER =
  "TRACE|DEBUG\\d?|FINEST|FINER|FINE|CONFIG|VERBOSE|INFORMATION|INFO|NOTICE|WARNING|WARN|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|PANIC|EMERG|EMERGENCY|FAILURE";
const MIXED =
  "trace\\d?|debug|verbose|information|info|notice|warning|warn|error|err|severe|critical|crit|alert|fatal|panic|emerg|dbug|trce|trc|dbg|inf|wrn|ftl|fail|note|system";

/** A level in capitals, or with only its first letter so, as it stands free in a line. */
export const FREE_LEVEL = `${UPPER}|Trace|Debug|Verbose|Information|Info|Notice|Warning|Warn|Error|Critical|Fatal|DBG|INF|WRN|FTL|TRC`;
/** A level in any spelling, where brackets or a colon say that it is one. */
export const MARKED_LEVEL = `${FREE_LEVEL}|${MIXED}|SUCCESS|SYSTEM|LOG|NOTE|Note|System|Severe|Crit|Alert`;

/** As most write them: found without making another text. */
const CAPITALS = new Map([...WORDS].map(([word, number]) => [word.toUpperCase(), number]));

/** The number of a word or an abbreviation in any case; 0 for what is no level. */
export function severityOfWord(word: string): number {
  const known = WORDS.get(word) ?? CAPITALS.get(word) ?? WORDS.get(word.toLowerCase());
  if (known !== undefined) return known;
  return offsetLevel(word);
}

/** slog's levels between the named ones: `INFO+2`. */
function offsetLevel(word: string): number {
  const match = /^(DEBUG|INFO|WARN|ERROR)([+-]\d{1,2})$/.exec(word);
  if (match === null) return 0;
  return Math.min(24, Math.max(1, WORDS.get(match[1]!.toLowerCase())! + Number(match[2])));
}

/** The number of a single capital letter, as klog, logcat and others write it. */
export const severityOfLetter = (letter: string): number => LETTERS[letter] ?? 0;

const SYSLOG = [21, 19, 18, 17, 13, 10, 9, 5];
const SYSLOG_WORDS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/** The number of a syslog severity, 0 to 7. */
export const severityOfSyslog = (severity: number): number => SYSLOG[severity] ?? 0;
export const wordOfSyslog = (severity: number): string => SYSLOG_WORDS[severity] ?? "";

/** The number of a numeric level: syslog's below 8, pino's, bunyan's and Python's below 100, Logback's above 1000. */
export function severityOfNumber(level: number): number {
  if (!Number.isFinite(level) || level < 0) return 0;
  if (level < 8) return severityOfSyslog(level);
  const tens = level >= 1000 ? LOGBACK.findLast(([from]) => level >= from) : PINO.findLast(([from]) => level >= from);
  return tens?.[1] ?? 0;
}
const PINO: readonly (readonly [number, number])[] = [
  [8, 1],
  [20, 5],
  [30, 9],
  [40, 13],
  [50, 17],
  [60, 21],
];
const LOGBACK: readonly (readonly [number, number])[] = [
  [1000, 1],
  [10_000, 5],
  [20_000, 9],
  [30_000, 13],
  [40_000, 17],
  [50_000, 21],
];

/** The number that the status of an HTTP response stands for. */
export const severityOfStatus = (status: number): number =>
  status >= 500 ? 17 : status >= 400 ? 13 : status >= 100 ? 9 : 0;

const SYMBOLS: Readonly<Record<string, number>> = { ".": 5, "-": 6, "*": 10, "#": 13 };

/** Redis' marks. */
export const severityOfSymbol = (symbol: string): number => SYMBOLS[symbol] ?? 0;

/** The name of a number's range, for records whose source has no word for it. */
export const textOf = (number: number): string =>
  number === 0 ? "" : ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"][Math.floor((number - 1) / 4)]!;
