// What the parts of a system write: the kernel's own log, auditd, Envoy and others that begin with a time in brackets
// and a request, and CEF of security devices.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format } from "../reading.ts";
import { severityOfStatus, severityOfSyslog, textOf, wordOfSyslog } from "../severity.ts";
import { addRequest } from "./access.ts";

const KERNEL = /(?:<(\d{1,3})>)?\[ {0,10}(\d{1,9}\.\d{6})\] /y;

/** `[   12.345678] message`, as dmesg shows it: the seconds are since the start of the machine, so it has no time. */
export const readKernel: Format = (line, reading) => {
  KERNEL.lastIndex = 0;
  const match = KERNEL.exec(line);
  if (match === null) return false;
  if (match[1] !== undefined) {
    const priority = Number(match[1]) & 7;
    setSeverity(reading, wordOfSyslog(priority), severityOfSyslog(priority));
  }
  addAttribute(reading, "kernel.uptime", Number(match[2]));
  reading.format = "kernel";
  reading.body = line.slice(KERNEL.lastIndex);
  return true;
};

const AUDIT = /(?:node=(\S{1,255}) )?type=(\w{1,60}) msg=audit\((\d{9,11}\.\d{1,9}):(\d{1,20})\): ?/y;

/** `type=SYSCALL msg=audit(1136214245.123:45): message` */
export const readAudit: Format = (line, reading, times) => {
  AUDIT.lastIndex = 0;
  const match = AUDIT.exec(line);
  if (match === null || !times.readEpoch(match[3]!)) return false;
  takeTime(reading, times);
  addAttribute(reading, "host.name", match[1]);
  addAttribute(reading, "audit.type", match[2]);
  addAttribute(reading, "audit.serial", Number(match[4]));
  reading.format = "audit";
  reading.body = line.slice(AUDIT.lastIndex);
  return true;
};

const REQUEST = /\] "([A-Z]{3,20} \S{1,65536}(?: HTTP\/[\d.]{1,3})?|- - -?|-)" (\d{1,3}) /y;
const FLAGS = /([A-Z]{1,5}(?:,[A-Z]{1,5}){0,8}|-) /y;

/** `[2006-01-02T15:04:05.000Z] "GET / HTTP/1.1" 200 - ...`: Envoy's and Istio's access log; with less behind it others'. */
export const readEnvoy: Format = (line, reading, times) => {
  const end = times.read(line, 1);
  REQUEST.lastIndex = end;
  const match = end < 0 ? null : REQUEST.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  const status = Number(match[2]);
  // Without an answer there is 0, and the flags say why.
  const severity = status === 0 ? 17 : severityOfStatus(status);
  setSeverity(reading, textOf(severity), severity);
  addRequest(reading, match[1]!);
  if (status > 0) addAttribute(reading, "http.response.status_code", status);
  FLAGS.lastIndex = REQUEST.lastIndex;
  const flags = FLAGS.exec(line);
  if (flags !== null && flags[1] !== "-") addAttribute(reading, "envoy.response_flags", flags[1]);
  reading.format = flags === null ? "access" : "envoy";
  reading.body = line;
  return true;
};

const CEF =
  /CEF:\d\|((?:[^|\\]|\\.){0,200})\|((?:[^|\\]|\\.){0,200})\|((?:[^|\\]|\\.){0,200})\|((?:[^|\\]|\\.){0,200})\|((?:[^|\\]|\\.){0,1024})\|(\w{1,10})\|/y;
const CEF_WORDS: Readonly<Record<string, number>> = { unknown: 0, low: 9, medium: 13, high: 17, "very-high": 18 };

/** `CEF:0|vendor|product|version|id|name|severity|extension`: the name is the message. */
export const readCef: Format = (line, reading, times) => {
  CEF.lastIndex = 0;
  const match = CEF.exec(line);
  if (match === null) return false;
  const [, vendor, product, version, id, name, severity] = match as unknown as string[];
  const grade = Number(severity);
  const number = CEF_WORDS[severity!.toLowerCase()] ?? (grade >= 9 ? 18 : grade >= 7 ? 17 : grade >= 4 ? 13 : 9);
  setSeverity(reading, severity!, number);
  const time = /(?:^|\s)rt=([^=]{10,40})(?=$| \w{1,40}=)/.exec(line.slice(CEF.lastIndex, CEF.lastIndex + 4096))?.[1];
  if (time !== undefined && (times.readEpoch(time) || times.read(time, 0) >= 0)) takeTime(reading, times);
  const named = { "cef.vendor": vendor, "service.name": product, "service.version": version, "cef.id": id };
  for (const [key, value] of Object.entries(named)) addAttribute(reading, key, value);
  addAttribute(reading, "cef.extension", line.slice(CEF.lastIndex));
  reading.format = "cef";
  reading.body = name!.replace(/\\([|\\])/g, "$1");
  return true;
};
