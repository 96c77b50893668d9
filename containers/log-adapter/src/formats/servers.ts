// Error logs of web servers, HAProxy, and what Go programs of Kubernetes write (klog).
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format } from "../reading.ts";
import { severityOfLetter, severityOfStatus, severityOfWord, textOf } from "../severity.ts";

const NGINX = / \[(debug|info|notice|warn|error|crit|alert|emerg)\] (\d{1,10})#(\d{1,10}): (?:\*(\d{1,20}) )?/y;
const CLIENT = /, client: ([^,\s]{1,64})/;

/** `2006/01/02 15:04:05 [error] 1#2: *3 message, client: ...` */
export const readNginxError: Format = (line, reading, times) => {
  const end = times.read(line, 0);
  NGINX.lastIndex = end;
  const match = end < 0 ? null : NGINX.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  setSeverity(reading, match[1]!, severityOfWord(match[1]!));
  addAttribute(reading, "process.pid", Number(match[2]));
  addAttribute(reading, "thread.id", Number(match[3]));
  if (match[4] !== undefined) addAttribute(reading, "nginx.connection", Number(match[4]));
  reading.body = line.slice(NGINX.lastIndex);
  addAttribute(reading, "client.address", CLIENT.exec(reading.body)?.[1]);
  reading.format = "nginx_error";
  return true;
};

const APACHE =
  /\] \[(?:([\w-]{0,40}):)?(emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] (?:\[pid (\d{1,10})(?::tid (\d{1,20}))?\] )?/y;
const APACHE_CLIENT = /\[(?:client|remote) ([^\]\s]{1,64})\] /y;

/** `[Mon Jan 02 15:04:05 2006] [core:error] [pid 1:tid 2] [client 1.2.3.4:5] message`; 2.2 has time and level only. */
export const readApacheError: Format = (line, reading, times) => {
  const end = /^\[[A-Z]/.test(line) ? times.read(line, 1) : -1;
  APACHE.lastIndex = end;
  const match = end < 0 ? null : APACHE.exec(line);
  if (match === null) return false;
  takeTime(reading, times);
  setSeverity(reading, match[2]!, severityOfWord(match[2]!));
  addAttribute(reading, "log.logger", match[1]);
  if (match[3] !== undefined) addAttribute(reading, "process.pid", Number(match[3]));
  if (match[4] !== undefined) addAttribute(reading, "thread.id", Number(match[4]));
  let at = APACHE.lastIndex;
  APACHE_CLIENT.lastIndex = at;
  const client = APACHE_CLIENT.exec(line);
  addAttribute(reading, "client.address", client?.[1]);
  // Version 2.2 has the client in the message, 2.4 before it.
  if (client !== null && match[3] !== undefined) at = APACHE_CLIENT.lastIndex;
  reading.body = line.slice(at);
  reading.format = "apache_error";
  return true;
};

const KLOG = /([IWEF])(?=\d{4})/y;
const KLOG_TIME = /(\d{4})?(\d\d)(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,9})?) {1,8}(\d{1,10}) ([^\]\s]{1,200}):(\d{1,8})\] ?/y;

/** `I0102 15:04:05.123456   1234 file.go:12] message`; glog of C++ has the year, too. */
export const readKlog: Format = (line, reading, times) => {
  KLOG.lastIndex = 0;
  const level = KLOG.exec(line);
  KLOG_TIME.lastIndex = 1;
  const match = level === null ? null : KLOG_TIME.exec(line);
  if (match === null) return false;
  const [, year, month, day, clock, thread, file, number] = match;
  if (times.read(year === undefined ? `${month}-${day} ${clock}` : `${year}-${month}-${day} ${clock}`, 0) < 0)
    return false;
  takeTime(reading, times);
  setSeverity(reading, level![1]!, severityOfLetter(level![1]!));
  addAttribute(reading, "thread.id", Number(thread));
  addAttribute(reading, "code.file.path", file);
  addAttribute(reading, "code.line.number", Number(number));
  reading.body = line.slice(KLOG_TIME.lastIndex);
  reading.format = "klog";
  return true;
};

const HAPROXY =
  /([\da-fA-F.:]{2,64}):(\d{1,5}) \[([^\]]{15,40})\] (\S{1,128}) ([^\s/]{1,128})\/(\S{1,128}) ([\d+/-]{1,60}) (?:(\d{3}|-1) )?(\+?\d{1,20}) /y;

/** HAProxy's HTTP and TCP log, without the syslog header that may have been in front. */
export const readHaproxy: Format = (line, reading, times) => {
  HAPROXY.lastIndex = 0;
  const match = HAPROXY.exec(line);
  if (match === null || times.read(match[3]!, 0) < 0) return false;
  takeTime(reading, times);
  const status = Number(match[8] ?? 0);
  const severity = status > 0 ? severityOfStatus(status) : 9;
  setSeverity(reading, textOf(severity), severity);
  addAttribute(reading, "client.address", match[1]);
  addAttribute(reading, "client.port", Number(match[2]));
  addAttribute(reading, "haproxy.frontend", match[4]);
  addAttribute(reading, "haproxy.backend", match[5]);
  addAttribute(reading, "haproxy.server", match[6]);
  addAttribute(reading, "haproxy.timers", match[7]);
  if (status > 0) addAttribute(reading, "http.response.status_code", status);
  reading.body = line;
  reading.format = "haproxy";
  return true;
};
