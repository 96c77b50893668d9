// Items of headers that some make of log writes: they are no header anywhere else, so each is known by its look alone.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Reading } from "../reading.ts";
import { MARKED_LEVEL, severityOfSyslog, severityOfWord, wordOfSyslog } from "../severity.ts";
import type { TimeReader } from "../timestamp.ts";
import { addComponent, endOfMatch, matchOf, skip, sticky } from "./text-cursor.ts";
import type { Cursor } from "./text-cursor.ts";

/** Monolog's channel and level in one word. */
const CHANNEL = sticky("([A-Za-z_][\\w-]{0,60})\\.(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY): ");
/** Android's older form: `Tag( 123): `. */
const ANDROID = sticky("([\\w.$-]{1,80}) {0,20}\\( {0,9}(\\d{1,10})\\): ");
/** Set off by colons only, as in `:INFO:name:message`. */
const COLONS = sticky(`:(${MARKED_LEVEL}):(?:([A-Za-z_][\\w.]{0,120}):)?`);
/** A Java class and its method, which nothing sets off from the message but that they look like it. */
export const METHOD = sticky("([a-z]\\w{0,40}(?:\\.[\\w$]{1,80}){0,12}\\.[A-Z][\\w$]{0,80}\\.[\\w$<>]{1,80}) (?=\\S)");
/** A file and a line between braces, a process of Erlang between angles. */
const BRACED = sticky("\\{([\\w./-]{1,120}:\\d{1,6})\\}|<(\\d{1,6}\\.\\d{1,9}\\.\\d{1,6})>");
/** Facts about what is going on, before a level. */
const FACTS = sticky(`((?:[\\w.]{1,40}=\\S{1,80} ){1,6})(?=\\[(?:${MARKED_LEVEL})\\] )`);
const SPACES = sticky("\\s{0,8}");

/** What is set off by colons alone has nothing behind it but the message. */
export function takeColons(line: string, cursor: Cursor, reading: Reading): boolean {
  COLONS.lastIndex = cursor.at;
  const match = cursor.hasTime && !cursor.hasLevel ? COLONS.exec(line) : null;
  if (match === null) return false;
  setSeverity(reading, match[1]!, severityOfWord(match[1]!));
  addAttribute(reading, "log.logger", match[2]);
  cursor.at = skip(SPACES, line, COLONS.lastIndex);
  return true;
}

const THREAD_AND_LEVEL = new RegExp(`^(.{1,80})/(${MARKED_LEVEL})$`);

/** A group may be the time, or a thread and a level. */
export function takeInner(content: string, cursor: Cursor, reading: Reading, times: TimeReader): boolean {
  if (!cursor.hasTime && times.read(content, 0) === content.length) {
    takeTime(reading, times);
    cursor.hasTime = true;
    return true;
  }
  const match = cursor.hasLevel ? null : THREAD_AND_LEVEL.exec(content);
  if (match === null) return false;
  setSeverity(reading, match[2]!, severityOfWord(match[2]!));
  addAttribute(reading, "thread.name", match[1]);
  cursor.hasLevel = true;
  return true;
}

export function takeBraced(line: string, cursor: Cursor, reading: Reading): boolean {
  BRACED.lastIndex = cursor.at;
  const match = cursor.brackets < 4 ? BRACED.exec(line) : null;
  if (match === null) return false;
  addAttribute(reading, match[1] === undefined ? "thread.name" : "code.file.path", match[1] ?? match[2]);
  cursor.at = BRACED.lastIndex;
  cursor.brackets++;
  return true;
}

export function takeFacts(line: string, cursor: Cursor, reading: Reading): boolean {
  const facts = cursor.hasTime && !cursor.hasLevel ? matchOf(FACTS, line, cursor.at) : undefined;
  if (facts === undefined) return false;
  for (const fact of facts.trim().split(" ")) {
    addAttribute(reading, fact.slice(0, fact.indexOf("=")), fact.slice(fact.indexOf("=") + 1));
  }
  cursor.at = endOfMatch();
  return true;
}

export function takeChannel(line: string, cursor: Cursor, reading: Reading): boolean {
  CHANNEL.lastIndex = cursor.at;
  const match = cursor.hasTime && !cursor.hasLevel ? CHANNEL.exec(line) : null;
  if (match === null) return false;
  setSeverity(reading, match[2]!, severityOfWord(match[2]!));
  cursor.hasLevel = true;
  return addComponent(match[1]!, cursor, reading, CHANNEL.lastIndex);
}

export function takeAndroid(line: string, cursor: Cursor, reading: Reading): boolean {
  ANDROID.lastIndex = cursor.at;
  const match = line.charCodeAt(cursor.at - 1) === 47 ? ANDROID.exec(line) : null;
  if (match === null) return false;
  addAttribute(reading, "process.pid", Number(match[2]));
  return addComponent(match[1]!, cursor, reading, ANDROID.lastIndex);
}

const PLACE = sticky("([\\w./@-]{1,120}\\.\\w{1,10}:\\d{1,6})\\t");

/** Behind a component that a tab sets off, the place in the code, set off likewise. */
export function takePlace(line: string, cursor: Cursor, reading: Reading): boolean {
  if (cursor.components !== 1 || line.charCodeAt(cursor.at - 1) !== 9) return false;
  const place = matchOf(PLACE, line, cursor.at);
  return place !== undefined && addComponent(place, cursor, reading);
}

/** Devices of networks tell the severity within the message: `%LINK-3-UPDOWN: `. */
export function takeMnemonic(reading: Reading): void {
  if (reading.severityNumber !== 0 || reading.body.charCodeAt(0) !== 37) return;
  const severity = /^%[A-Z][\w-]{0,40}-([0-7])-\w{1,40}:/.exec(reading.body)?.[1];
  if (severity === undefined) return;
  setSeverity(reading, wordOfSyslog(Number(severity)), severityOfSyslog(Number(severity)));
}
