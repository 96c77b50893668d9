// Which format a line has. The first character leaves a few candidates, the most telling first; of these, the one that
// fitted last in this stream is tried before the others, as most streams speak one language for long.
import { readAccess } from "./formats/access.ts";
import { readMongodb, readMysql, readPostgresql, readRedis } from "./formats/databases.ts";
import { readJson } from "./formats/json.ts";
import { readJul, readLogcat, readPython, readRas, readRuby } from "./formats/languages.ts";
import { readLogfmt } from "./formats/logfmt.ts";
import { readMysqlSlow, readPostgresqlCsv } from "./formats/records.ts";
import { readApacheError, readHaproxy, readKlog, readNginxError } from "./formats/servers.ts";
import { readSyslog, readSyslog5424 } from "./formats/syslog.ts";
import { readAudit, readCef, readEnvoy, readKernel } from "./formats/systems.ts";
import { readText } from "./formats/text.ts";
import { addAttribute, resetReading } from "./reading.ts";
import type { Format, Reading } from "./reading.ts";
import type { TimeReader } from "./timestamp.ts";

const OBJECT: readonly Format[] = [readJson, readText];
const BRACKET: readonly Format[] = [readApacheError, readEnvoy, readRedis, readKernel, readText];
const ANGLE: readonly Format[] = [readSyslog5424, readSyslog, readKernel, readText];
const DIGIT: readonly Format[] = [
  readLogcat,
  readNginxError,
  readRedis,
  readMysql,
  readMongodb,
  readPostgresqlCsv,
  readPostgresql,
  readRas,
  readHaproxy,
  readAccess,
  readText,
];
const LETTER: readonly Format[] = [
  readKlog,
  readRuby,
  readPython,
  readJul,
  readSyslogOfMonth,
  readRas,
  readAudit,
  readCef,
  readLogfmt,
  readAccess,
  readText,
];
const OTHER: readonly Format[] = [readMysqlSlow, readRas, readLogfmt, readAccess, readHaproxy, readText];
/** An ISO time before a host and a program with its process: syslog in its modern dress. */
const ISO_SYSLOG =
  /^(?:\S{19,40} [\w.-]{1,255} (?:[\w./()@-]{1,128}\[\d{1,10}\]|kernel): |\S{19}\.\d{6}[+-]\d\d:\d\d [\w.-]{1,255} [\w./()@-]{1,128}: )/;

/** In files syslog has no priority; then it begins with a month, which an application's line may as well. */
function readSyslogOfMonth(line: string, reading: Reading, times: TimeReader): boolean {
  return (
    /^[A-Z][a-z]{2} {1,2}\d/.test(line.slice(0, 8)) &&
    !/^.{6,16}\d{4},? \d/.test(line.slice(0, 22)) &&
    readSyslog(line, reading, times)
  );
}

function readIsoSyslog(line: string, reading: Reading, times: TimeReader): boolean {
  const space = line.indexOf(" ");
  return space >= 19 && space <= 40 && ISO_SYSLOG.test(line) && readSyslog(line, reading, times);
}

const DIGITS: readonly Format[] = [readIsoSyslog, ...DIGIT];

function candidatesOf(code: number): readonly Format[] {
  if (code >= 48 && code <= 57) return DIGITS;
  if (code === 123) return OBJECT;
  if (code === 91) return BRACKET;
  if (code === 60) return ANGLE;
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) ? LETTER : OTHER;
}

const PREFIX = /^([A-Za-z0-9][\w.-]{0,60}) {0,40}\| (?=\S)/;

export type DetectionSettings = {
  /** Formats of the user's own: they are tried before the others, in their order. */
  readonly own: readonly Format[];
  /** The formats that lines have, one of them; by default any. */
  readonly only: readonly Format[] | undefined;
};

export type Detector = {
  /** Reads the line into the reading, as the format that fits best; one that nothing fits is the body as it is. */
  read(line: string, reading: Reading): void;
};

/** What is tried for a line, in this order. */
export const formatsFor = (line: string, { own, only }: DetectionSettings): readonly Format[] =>
  only ?? [...own, ...candidatesOf(line.charCodeAt(0))];

/** Headers are at the beginning: what lies further on is message, whatever it looks like. */
export function createDetector(times: TimeReader, { own, only }: DetectionSettings): Detector {
  let last: Format | undefined;
  return { read };

  function read(line: string, reading: Reading): void {
    times.begin();
    for (const format of only ?? own) if (fits(format, line, reading)) return;
    if (only !== undefined) return resetReading(reading, line);
    readBuiltIn(line, reading, candidatesOf(line.charCodeAt(0)));
  }

  function readBuiltIn(line: string, reading: Reading, candidates: readonly Format[]): void {
    // What fits nearly everything must not come before what is more telling.
    if (last !== undefined && last !== readText && candidates.includes(last) && fits(last, line, reading)) return;
    for (const format of candidates) {
      if (format === last && format !== readText) continue;
      if (!fits(format, line, reading)) continue;
      last = format;
      return;
    }
    readPrefixed(line, reading);
  }

  /** Compose and others put a name and a bar before each line of a service. */
  function readPrefixed(line: string, reading: Reading): void {
    const prefix = PREFIX.exec(line);
    const rest = prefix === null ? "" : line.slice(prefix[0].length);
    if (rest === "" || PREFIX.test(rest)) return resetReading(reading, line);
    readBuiltIn(rest, reading, candidatesOf(rest.charCodeAt(0)));
    if (reading.format === "unparsed") resetReading(reading, line);
    else addAttribute(reading, "log.prefix", prefix![1]);
  }

  function fits(format: Format, line: string, reading: Reading): boolean {
    resetReading(reading, line);
    return format(line, reading, times);
  }
}
