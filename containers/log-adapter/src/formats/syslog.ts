// Syslog as it is sent and as it is written to files: RFC 5424 and the older BSD form of RFC 3164.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format, Reading } from "../reading.ts";
import { severityOfSyslog, wordOfSyslog } from "../severity.ts";
import { takeMnemonic } from "./text-items.ts";

const PRIORITY = /<(\d{1,3})>/y;
const HEADER_5424 = /1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /y;
const HOST = /([\w:@/-][\w.:@/%-]{0,254}) +(?!\w{1,20} repeated)/y;
/** A program with its process between brackets, perhaps with a name of several words, or followed by its version. */
const TAG =
  /((?:-- {1,2})?[\w./()@$+*-]{1,128}(?: [\w./()@+-]{1,32}){0,3})(?:\[(\d{1,10})\])?( \([^()]{1,128}\))?:(?: +|$)/y;

/** Fits where a line begins with a priority or with a month, a time and a host. */
export const readSyslog: Format = (line, reading, times) => {
  const start = readPriority(line, reading);
  const end = times.read(line, start);
  if (end < 0 || line.charCodeAt(end) > 32) return false;
  takeTime(reading, times);
  reading.format = "syslog";
  readTagged(line, skipSpaces(line, end), reading);
  takeMnemonic(reading);
  return true;
};

/** A host, a tag and a message, as they follow a time. */
export function readTagged(line: string, from: number, reading: Reading): void {
  let at = from;
  HOST.lastIndex = at;
  const host = /^-{2,3} /.test(line.slice(at, at + 4)) ? null : HOST.exec(line);
  // What ends in a colon or has a process is the tag already.
  if (host !== null && !host[1]!.endsWith(":")) {
    addAttribute(reading, "host.name", host[1]);
    at = HOST.lastIndex;
  }
  TAG.lastIndex = at;
  const tag = TAG.exec(line);
  if (tag !== null) {
    addAttribute(reading, "service.name", tag[1]);
    if (tag[2] !== undefined) addAttribute(reading, "process.pid", Number(tag[2]));
    addAttribute(reading, "syslog.tag.detail", tag[3]?.trim());
    at = TAG.lastIndex;
  }
  reading.body = line.slice(at);
}

/** Takes severity and facility from `<PRI>`; returns where it ends. */
function readPriority(line: string, reading: Reading): number {
  PRIORITY.lastIndex = 0;
  const match = PRIORITY.exec(line);
  const priority = Number(match?.[1] ?? 192);
  if (priority > 191) return 0;
  setSeverity(reading, wordOfSyslog(priority & 7), severityOfSyslog(priority & 7));
  addAttribute(reading, "syslog.facility", priority >> 3);
  return PRIORITY.lastIndex;
}

export const readSyslog5424: Format = (line, reading, times) => {
  HEADER_5424.lastIndex = readPriority(line, reading);
  const match = HEADER_5424.lastIndex === 0 ? null : HEADER_5424.exec(line);
  if (match === null) return false;
  const [, time, host, app, process, message] = match;
  if (time !== "-" && times.read(time!, 0) < 0) return false;
  if (time !== "-") takeTime(reading, times);
  const named = { "host.name": host, "service.name": app, "syslog.procid": process, "syslog.msgid": message };
  for (const [name, value] of Object.entries(named)) if (value !== "-") addAttribute(reading, name, value);
  const end = readStructuredData(line, HEADER_5424.lastIndex, reading);
  // rsyslog keeps the space that stood behind the tag.
  reading.body = line.slice(end).replace(/^ ?\uFEFF? ?/, "");
  reading.format = "syslog5424";
  return true;
};

const ELEMENT = /\[([^\s=\]"]{1,64})((?: [^\s=\]"]{1,64}="(?:[^"\\]|\\.){0,8192}"){0,64})\]/y;
const PARAMETER = / ([^\s=\]"]{1,64})="((?:[^"\\]|\\.){0,8192})"/y;

/** Reads `[id name="value"]...` or `-`; returns where it ends. */
function readStructuredData(line: string, from: number, reading: Reading): number {
  if (line.charCodeAt(from) === 45) return from + 1;
  let at = from;
  for (let elements = 0; elements < 16; elements++) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(line);
    if (element === null) break;
    PARAMETER.lastIndex = 0;
    for (let found = PARAMETER.exec(element[2]!); found !== null; found = PARAMETER.exec(element[2]!)) {
      addAttribute(reading, `${element[1]}.${found[1]}`, found[2]!.replace(/\\(["\\\]])/g, "$1"));
    }
    at = ELEMENT.lastIndex;
  }
  return at;
}

function skipSpaces(line: string, from: number): number {
  let at = from;
  while (line.charCodeAt(at) === 32) at++;
  return at;
}
