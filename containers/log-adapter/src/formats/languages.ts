// What the loggers of languages write by default, where it is unlike a header and a message: Ruby, Python, Java's own,
// Android; and the RAS logs of large machines.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format } from "../reading.ts";
import { severityOfLetter, severityOfWord } from "../severity.ts";
import { readTagged } from "./syslog.ts";

const RUBY = /([DIWEFAU]), \[(\S{19,40}) #(\d{1,10})\] {1,3}([A-Z]{3,7}) -- ([^:]{0,80}): /y;

/** `I, [2006-01-02T15:04:05.000000 #123]  INFO -- prog: message` */
export const readRuby: Format = (line, reading, times) => {
  RUBY.lastIndex = 0;
  const match = RUBY.exec(line);
  if (match === null || times.read(match[2]!, 0) < 0) return false;
  takeTime(reading, times);
  setSeverity(reading, match[4]!, severityOfWord(match[4]!));
  addAttribute(reading, "process.pid", Number(match[3]));
  addAttribute(reading, "log.logger", match[5]);
  reading.body = line.slice(RUBY.lastIndex);
  reading.format = "ruby";
  return true;
};

const PYTHON = /(DEBUG|INFO|WARNING|ERROR|CRITICAL):([A-Za-z_][\w.]{0,120}):/y;

/** `WARNING:name:message`, Python's basic configuration. */
export const readPython: Format = (line, reading) => {
  PYTHON.lastIndex = 0;
  const match = PYTHON.exec(line);
  if (match === null) return false;
  setSeverity(reading, match[1]!, severityOfWord(match[1]!));
  addAttribute(reading, "log.logger", match[2]);
  reading.body = line.slice(PYTHON.lastIndex);
  reading.format = "python";
  return true;
};

const JUL = / ([\w.$]{1,200}) ([\w.$<>]{1,100})$/y;

/** `Jan 02, 2006 3:04:05 PM pkg.Class method`: the level and the message are on the next line. */
export const readJul: Format = (line, reading, times) => {
  const end = times.read(line, 0);
  JUL.lastIndex = end;
  const match = end < 0 ? null : JUL.exec(line);
  if (match === null || !match[1]!.includes(".")) return false;
  takeTime(reading, times);
  addAttribute(reading, "log.logger", match[1]);
  addAttribute(reading, "code.function.name", match[2]);
  reading.body = "";
  reading.format = "jul";
  return true;
};

const LOGCAT = / {1,6}(\d{1,10}) {1,6}(\d{1,10}) {1,3}([VDIWEFAS]) ([^\n:]{0,100}?) {0,40}: ?/y;

/** `01-02 15:04:05.000  123  456 I Tag: message` */
export const readLogcat: Format = (line, reading, times) => {
  const end = times.read(line, 0);
  LOGCAT.lastIndex = end;
  const match = end < 0 ? null : LOGCAT.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  setSeverity(reading, match[3]!, match[3] === "A" ? 21 : severityOfLetter(match[3]!));
  addAttribute(reading, "process.pid", Number(match[1]));
  addAttribute(reading, "thread.id", Number(match[2]));
  addAttribute(reading, "log.logger", match[4]);
  reading.body = line.slice(LOGCAT.lastIndex);
  reading.format = "logcat";
  return true;
};

const RAS = /(\S{1,40}) (\d{9,10}) \d{4}\.\d\d\.\d\d (\S{1,120}) /y;
const RAS_EVENT = / (\S{1,120}) (\S{1,40}) (\S{1,40}) (INFO|WARNING|ERROR|SEVERE|FATAL|FAILURE|DEBUG) ?/y;
const STATE = /(\d{1,12}) (\S{1,120}) (\S{1,120}) (\S{1,120}) (\d{9,10}) (-?\d{1,4}) /y;

/** Whether there are nine digits, as most lines that are none of these do not have. */
function isNumberAt(line: string, at: number): boolean {
  for (let i = at; i < at + 9; i++) if (!(line.charCodeAt(i) >= 48 && line.charCodeAt(i) <= 57)) return false;
  return true;
}

/** A label, seconds, a date, a node, and then either an event of the node or what its syslog said. */
export const readRas: Format = (line, reading, times) => {
  RAS.lastIndex = 0;
  const match = isNumberAt(line, line.indexOf(" ") + 1) ? RAS.exec(line) : null;
  if (match === null) return readState(line, reading, times);
  const end = times.read(line, RAS.lastIndex);
  if (end < 0) return false;
  // The written time has no zone, and in syslog no year: the seconds are the truth, of the other only what is finer.
  const fraction = String((times.ms % 1000) * 1e6 + times.nanos).padStart(9, "0");
  times.readEpoch(`${match[2]}.${fraction}`);
  takeTime(reading, times);
  if (match[1] !== "-") addAttribute(reading, "ras.label", match[1]);
  reading.format = "ras";
  RAS_EVENT.lastIndex = end;
  const event = RAS_EVENT.exec(line);
  if (event === null) {
    addAttribute(reading, "ras.node", match[3]);
    readTagged(line, end + 1, reading);
    return true;
  }
  setSeverity(reading, event[4]!, severityOfWord(event[4]!));
  addAttribute(reading, "host.name", match[3]);
  addAttribute(reading, "ras.type", event[2]);
  addAttribute(reading, "log.logger", event[3]);
  reading.body = line.slice(RAS_EVENT.lastIndex);
  return true;
};

/** `<number> <node> <component> <state> <seconds> <flag> <message>` */
const readState: Format = (line, reading, times) => {
  STATE.lastIndex = 0;
  const match = STATE.exec(line);
  if (match === null || !times.readEpoch(match[5]!)) return false;
  takeTime(reading, times);
  addAttribute(reading, "log.record.uid", match[1]);
  addAttribute(reading, "host.name", match[2]);
  addAttribute(reading, "log.logger", match[3]);
  addAttribute(reading, "ras.state", match[4]);
  reading.body = line.slice(STATE.lastIndex);
  reading.format = "ras";
  return true;
};
