import { expect, test } from "vitest";

import { GROK_PATTERNS } from "./grok-patterns.ts";
import { compileGrok } from "./grok.ts";

/** The fields of a text by name. */
function read(
  source: string,
  text: string,
  patterns: Record<string, string> = {},
): Record<string, unknown> | undefined {
  const pattern = compileGrok(source, { patterns });
  const values = pattern.exec(text);
  if (values === undefined) return undefined;
  return Object.fromEntries(
    pattern.fields.map(({ name }, i) => [name, values[i]]).filter(([, value]) => value !== undefined),
  );
}

test("names stand for patterns, and what they fit is kept as a field, a number if so asked", () => {
  expect(read("%{IP:client} %{WORD:verb} %{NUMBER:took:float} %{INT:size:int}", "10.0.0.1 GET 0.5 12")).toEqual({
    client: "10.0.0.1",
    verb: "GET",
    took: 0.5,
    size: 12,
  });
  expect(read("%{WORD:[http][verb]} %{WORD:a.b}", "GET x")).toEqual({ "http.verb": "GET", "a.b": "x" });
});

test("patterns are made of others, the user's own included, which come first", () => {
  const patterns = { ORDER: "%{WORD:shop}-%{POSINT:number:int}", WORD: "[a-z]+" };
  expect(read("^order %{ORDER:order}$", "order abc-12", patterns)).toEqual({
    order: "abc-12",
    shop: "abc",
    number: 12,
  });
  expect(read("^%{WORD:w}$", "ABC", patterns)).toBeUndefined();
});

test("the combined log of web servers has the fields that its users know", () => {
  const line = '10.0.0.1 - me [02/Jan/2006:15:04:05 -0700] "GET /a?b=c HTTP/1.1" 404 12 "-" "curl/8 (x)"';
  expect(read("%{COMBINEDAPACHELOG}", line)).toMatchObject({
    clientip: "10.0.0.1",
    auth: "me",
    timestamp: "02/Jan/2006:15:04:05 -0700",
    verb: "GET",
    request: "/a?b=c",
    response: "404",
    bytes: "12",
    agent: '"curl/8 (x)"',
  });
});

test.each([
  ["IPV6", "2001:db8::8a2e:370:7334"],
  ["IPV6", "::1"],
  ["IPV6", "fe80::1%eth0"],
  ["IPV4", "192.168.255.1"],
  ["MAC", "00:1b:44:11:3a:b7"],
  ["UUID", "123e4567-e89b-12d3-a456-426614174000"],
  ["EMAILADDRESS", "a.b+c@example.com"],
  ["HOSTPORT", "db-1.example.com:5432"],
  ["URI", "https://user:pw@example.com:8080/a/b?c=d#e"],
  ["PATH", "/var/log/app.log"],
  ["WINPATH", "C:\\Windows\\System32"],
  ["TIMESTAMP_ISO8601", "2006-01-02T15:04:05.123+02:00"],
  ["SYSLOGTIMESTAMP", "Jan  2 15:04:05"],
  ["HTTPDATE", "02/Jan/2006:15:04:05 -0700"],
  ["DATESTAMP_RFC2822", "Mon, 02 Jan 2006 15:04:05 +0000"],
  ["LOGLEVEL", "Warning"],
  ["QS", '"a \\"b\\" c"'],
  ["JAVACLASS", "com.example.Main$Inner"],
])("%s fits %s as a whole", (name, text) => {
  expect(read(`^%{${name}:it}$`, text)).toEqual({ it: text });
});

test.each([
  ["IPV4", "256.1.1.1"],
  ["MONTHNUM", "13"],
  ["HOUR", "24"],
  ["UUID", "123e4567"],
])("%s does not fit %s", (name, text) => {
  expect(read(`^%{${name}:it}$`, text)).toBeUndefined();
});

test("every pattern of the set compiles", () => {
  for (const name of Object.keys(GROK_PATTERNS)) expect(() => compileGrok(`%{${name}}`), name).not.toThrow();
});

test.each([
  ["a %{NOPE:x}", "expected the name of a pattern, got NOPE at character 3"],
  ["%{INT:x:date}", "expected int, float or string, got date at character 1"],
  ["a %{INT", "expected %{NAME}, %{NAME:field} or %{NAME:field:type} at character 3"],
  ["%{LOOP}", "expected a pattern that does not contain itself, got LOOP at character 1"],
  ["%{constructor}", "expected the name of a pattern, got constructor at character 1"],
])("%s is refused: %s", (source, message) => {
  expect(() => compileGrok(source, { patterns: { LOOP: "x%{LOOP}" } })).toThrow(message);
});
