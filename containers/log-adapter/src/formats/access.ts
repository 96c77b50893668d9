// Access logs: the common and the combined format of Apache and nginx, with a virtual host in front or more behind.
import { addAttribute, setSeverity, takeTime } from "../reading.ts";
import type { Format } from "../reading.ts";
import { severityOfStatus, textOf } from "../severity.ts";

const LINE =
  /(?:([\w.-]{1,255}(?::\d{1,5})?) )?([\w.:%-]{1,255}) (\S{1,255}) ([^[\]]{1,255}) \[([^\]]{20,40})\] "((?:[^"\\]|\\.){0,65536})" (\d{3}|-) (\d{1,20}|-)(?: "((?:[^"\\]|\\.){0,65536})" "((?:[^"\\]|\\.){0,65536})")?/y;
/** The usual line, with the same groups: nothing to try in two ways, so it takes half the time. */
const USUAL =
  /()([\w.:%-]{1,255}) (\S{1,255}) ([^[\] ]{1,255}) \[([^\]]{20,40})\] "([^"]{0,65536})" (\d{3}|-) (\d{1,20}|-)(?: "([^"]{0,65536})" "([^"]{0,65536})")?/y;
const REQUEST = /^([A-Z]{1,20}) (\S{1,65536})(?: HTTP\/(\d(?:\.\d)?))?$/;

const given = (text: string | undefined): string | undefined => (text === "-" ? undefined : text);

export const readAccess: Format = (line, reading, times) => {
  // What cannot be one is known by its bracket, without the expression.
  const bracket = line.indexOf(" [");
  if (bracket < 0 || bracket > 800 || line.indexOf('] "', bracket) < 0) return false;
  const match = matchOf(line);
  if (match === null || times.read(match[5]!, 0) < 0) return false;
  takeTime(reading, times);
  const status = Number(match[7]);
  const severity = severityOfStatus(status);
  setSeverity(reading, textOf(severity), severity);
  addAttribute(reading, "server.address", match[1]);
  addAttribute(reading, "client.address", match[2]);
  addAttribute(reading, "user.name", given(match[4]));
  addRequest(reading, match[6]!);
  if (status > 0) addAttribute(reading, "http.response.status_code", status);
  if (match[8] !== "-") addAttribute(reading, "http.response.body.size", Number(match[8]));
  addAttribute(reading, "http.request.header.referer", given(match[9]));
  addAttribute(reading, "user_agent.original", given(match[10]));
  const end = match[0].length;
  if (end < line.length) addAttribute(reading, "access.rest", line.slice(end).trim());
  reading.format = "access";
  reading.body = line;
  return true;
};

function matchOf(line: string): RegExpExecArray | null {
  USUAL.lastIndex = 0;
  LINE.lastIndex = 0;
  // A quotation mark may be escaped.
  return (line.includes("\\") ? null : USUAL.exec(line)) ?? LINE.exec(line);
}

/** What a request line tells, or itself where it is none. */
export function addRequest(reading: Parameters<Format>[1], text: string): void {
  const request = REQUEST.exec(text);
  if (request === null) return addAttribute(reading, "http.request.line", given(text));
  const target = request[2]!;
  const query = target.indexOf("?");
  addAttribute(reading, "http.request.method", request[1]);
  addAttribute(reading, "url.path", query < 0 ? target : target.slice(0, query));
  if (query >= 0) addAttribute(reading, "url.query", target.slice(query + 1));
  addAttribute(reading, "network.protocol.version", request[3]);
}
