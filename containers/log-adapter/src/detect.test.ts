import { assert, constantFrom, property, string, tuple } from "fast-check";
import { expect, test } from "vitest";

import { createDetector } from "./detect.ts";
import { createReading } from "./reading.ts";
import { createTimeReader } from "./timestamp.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const createReader = () => {
  const detector = createDetector(createTimeReader({ zone: "UTC", now: () => NOW }), { own: [], only: undefined });
  const reading = createReading();
  return (line: string) => {
    detector.read(line, reading);
    const { format, ms, severityNumber, body } = reading;
    return [format, Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, 19), severityNumber, body] as const;
  };
};

/** A line, and the format, time, severity and body that it has. */
const LINES: readonly (readonly [string, string, string, number, string])[] = [
  ['{"level":30,"time":1136214245123,"pid":1,"msg":"ready"}', "json", "2006-01-02T15:04:05", 9, "ready"],
  ['{"@timestamp":"2006-01-02T15:04:05Z","log.level":"WARN","message":"m"}', "json", "2006-01-02T15:04:05", 13, "m"],
  [
    '{"log":{"level":"error"},"@timestamp":"2006-01-02T15:04:05Z","message":"m"}',
    "json",
    "2006-01-02T15:04:05",
    17,
    "m",
  ],
  [
    '{"t":{"$date":"2006-01-02T15:04:05.000+00:00"},"s":"W","c":"REPL","id":1,"ctx":"x","msg":"m"}',
    "mongodb",
    "2006-01-02T15:04:05",
    13,
    "m",
  ],
  [
    '{"timestamp":"2006-01-02T15:04:05Z","level":"DEBUG","fields":{"message":"m"},"target":"a"}',
    "json",
    "2006-01-02T15:04:05",
    5,
    "m",
  ],
  ['{"ts":1136214245.123,"level":"dpanic","msg":"m"}', "json", "2006-01-02T15:04:05", 18, "m"],
  [
    '{"instant":{"epochSecond":1136214245,"nanoOfSecond":5},"level":"FATAL","message":"m"}',
    "json",
    "2006-01-02T15:04:05",
    21,
    "m",
  ],
  [
    'time=2006-01-02T15:04:05Z level=warning msg="low \\"disk\\"" free=3',
    "logfmt",
    "2006-01-02T15:04:05",
    13,
    'low "disk"',
  ],
  [
    '10.0.0.1 - - [02/Jan/2006:15:04:05 +0000] "GET / HTTP/1.1" 503 12 "-" "curl/8"',
    "access",
    "2006-01-02T15:04:05",
    17,
    '10.0.0.1 - - [02/Jan/2006:15:04:05 +0000] "GET / HTTP/1.1" 503 12 "-" "curl/8"',
  ],
  ["<11>Jan  2 15:04:05 web app[7]: it failed", "syslog", "2026-01-02T15:04:05", 17, "it failed"],
  ["Jan  2 15:04:05 web sshd(pam_unix)[7]: session opened", "syslog", "2026-01-02T15:04:05", 0, "session opened"],
  [
    "2006-01-02T15:04:05.123456+00:00 web sshd[7]: session opened",
    "syslog",
    "2006-01-02T15:04:05",
    0,
    "session opened",
  ],
  [
    '<165>1 2006-01-02T15:04:05Z web app 7 ID1 [a@1 b="c\\]"] it works',
    "syslog5424",
    "2006-01-02T15:04:05",
    10,
    "it works",
  ],
  [
    "2006/01/02 15:04:05 [crit] 7#8: *9 it broke, client: 10.0.0.1, server: a",
    "nginx_error",
    "2006-01-02T15:04:05",
    18,
    "it broke, client: 10.0.0.1, server: a",
  ],
  [
    "[Mon Jan 02 15:04:05.123456 2006] [core:error] [pid 1:tid 2] [client 10.0.0.1:5] AH00126: no",
    "apache_error",
    "2006-01-02T15:04:05",
    17,
    "AH00126: no",
  ],
  [
    "[Mon Jan 02 15:04:05 2006] [notice] caught SIGTERM, shutting down",
    "apache_error",
    "2006-01-02T15:04:05",
    10,
    "caught SIGTERM, shutting down",
  ],
  ["W0102 15:04:05.123456    1234 pod.go:12] it waits", "klog", "2026-01-02T15:04:05", 13, "it waits"],
  ["7:M 02 Jan 2006 15:04:05.123 # it is full", "redis", "2006-01-02T15:04:05", 13, "it is full"],
  ["[7] 02 Jan 15:04:05.123 * it works", "redis", "2026-01-02T15:04:05", 10, "it works"],
  [
    "2006-01-02 15:04:05.123 UTC [7] me@shop FATAL:  no such role",
    "postgresql",
    "2006-01-02T15:04:05",
    21,
    "no such role",
  ],
  [
    "2006-01-02T15:04:05.123456Z 0 [System] [MY-010116] [Server] it starts",
    "mysql",
    "2006-01-02T15:04:05",
    9,
    "it starts",
  ],
  ["2006-01-02 15:04:05 7 [Note] it starts", "mysql", "2006-01-02T15:04:05", 9, "it starts"],
  ["2006-01-02T15:04:05.000+0000 E QUERY    [conn1] it broke", "mongodb", "2006-01-02T15:04:05", 17, "it broke"],
  [
    '10.0.0.1:5000 [02/Jan/2006:15:04:05.123] web app/one 0/0/1/2/3 404 12 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"',
    "haproxy",
    "2006-01-02T15:04:05",
    13,
    '10.0.0.1:5000 [02/Jan/2006:15:04:05.123] web app/one 0/0/1/2/3 404 12 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"',
  ],
  ["01-02 15:04:05.123  1702  2395 D Display: it turns", "logcat", "2026-01-02T15:04:05", 5, "it turns"],
  ["E, [2006-01-02T15:04:05.123456 #7] ERROR -- shop: it broke", "ruby", "2006-01-02T15:04:05", 17, "it broke"],
  ["WARNING:shop.cart:it is empty", "python", "", 13, "it is empty"],
  ["2006-01-02 15:04:05,123 [main] DEBUG a.b.Shop - it opens", "text", "2006-01-02T15:04:05", 5, "it opens"],
  ["2006-01-02T15:04:05.123Z  INFO 1 --- [nio-1] a.b.Shop  : it opens", "text", "2006-01-02T15:04:05", 9, "it opens"],
  ["2006-01-02 15:04:05,123 - shop.cart - ERROR - it broke", "text", "2006-01-02T15:04:05", 17, "it broke"],
  ["2006-01-02 15:04:05.123 | SUCCESS | a:b:12 - it works", "text", "2006-01-02T15:04:05", 9, "it works"],
  ["[2006-01-02T15:04:05,123][WARN ][o.e.n.Node   ] [node-1] it waits", "text", "2006-01-02T15:04:05", 13, "it waits"],
  ["[2006-01-02 15:04:05 +0000] [7] [INFO] it listens", "text", "2006-01-02T15:04:05", 9, "it listens"],
  ["[2006-01-02 15:04:05,123: WARNING/Worker-1] it waits", "text", "2006-01-02T15:04:05", 13, "it waits"],
  ["17/01/02 15:04:05 INFO storage.Store: block added", "text", "2017-01-02T15:04:05", 9, "block added"],
  [
    "060102 150405 7 WARN dfs.Node$Sender: 10.0.0.1:5 got exception",
    "text",
    "2006-01-02T15:04:05",
    13,
    "10.0.0.1:5 got exception",
  ],
  [
    "2006-01-02 15:04:05,123 - WARN  [Peer[id=1]/0:0:0:2181:Election@7] - it waits",
    "text",
    "2006-01-02T15:04:05",
    13,
    "it waits",
  ],
  [
    "api.log 2006-01-02 15:04:05.123 7 INFO shop.api [req-1 - - -] [item: 3] it is sold",
    "text",
    "2006-01-02T15:04:05",
    9,
    "[item: 3] it is sold",
  ],
  [
    "2006-01-02 15:04:05, Error                 CBS    it is corrupt",
    "text",
    "2006-01-02T15:04:05",
    17,
    "it is corrupt",
  ],
  ["20060102-15:4:5:606|Steps|30002312|onStep 3579", "text", "2006-01-02T15:04:05", 0, "onStep 3579"],
  [
    "[01.02 15:04:05] browser.exe - host:443 close, 3 bytes",
    "text",
    "2026-01-02T15:04:05",
    0,
    "host:443 close, 3 bytes",
  ],
  ["2006-01-02T15:04:05.123Z\tERROR\tshop\tcart/cart.go:12\tit broke", "text", "2006-01-02T15:04:05", 17, "it broke"],
  ["2006/01/02 15:04:05 http: TLS handshake error", "text", "2006-01-02T15:04:05", 0, "http: TLS handshake error"],
  ["!02-Jan-2006 15:04:05.042 [W] lookup/aple ~ miss (3ms)", "text", "2006-01-02T15:04:05", 13, "miss (3ms)"],
  ["2006-01-02 15:04:05 Error opening the file", "text", "2006-01-02T15:04:05", 0, "Error opening the file"],
  [
    "- 1136214245 2006.01.02 R02-M1 2006-01-02-07.04.05.123456 R02-M1 RAS KERNEL FATAL it broke",
    "ras",
    "2006-01-02T15:04:05",
    21,
    "it broke",
  ],
  [
    "- 1136214245 2006.01.02 dn1 Jan 2 07:04:05 dn1/dn1 crond[7]: session closed",
    "ras",
    "2006-01-02T15:04:05",
    0,
    "session closed",
  ],
  ["INFO:     it listens", "text", "", 9, "it listens"],
  ["words that are nothing else", "unparsed", "", 0, "words that are nothing else"],
  ["I am here", "unparsed", "", 0, "I am here"],
  ["a = b, and so c = d", "unparsed", "", 0, "a = b, and so c = d"],
  ['{"not": json', "unparsed", "", 0, '{"not": json'],
];

test.each(LINES)("%s", (line, ...expected) => {
  expect(createReader()(line)).toEqual(expected);
});

test("in a stream of many formats each line is read as it is alone", () => {
  const read = createReader();
  for (let round = 0; round < 3; round++) {
    for (const [line, ...expected] of LINES) expect(read(line), line).toEqual(expected);
    for (const [line, ...expected] of LINES.toReversed()) expect(read(line), line).toEqual(expected);
  }
});

test("no text makes a reader throw, and what it does not understand is the body as it was", () => {
  const read = createReader();
  const beginnings = constantFrom(
    "",
    "{",
    "<13>",
    "[",
    "2006-01-02 15:04:05 ",
    "Jan  2 15:04:05 ",
    "I0102 15:04:05 ",
    "a=",
  );
  assert(
    property(tuple(beginnings, string({ unit: "binary", maxLength: 200 })), ([beginning, rest]) => {
      const [format, , , body] = read(beginning + rest);
      expect(format === "unparsed" ? body : beginning + rest).toBe(beginning + rest);
    }),
    { numRuns: 2000 },
  );
});

test("long hostile lines take no longer than their length warrants", () => {
  const read = createReader();
  const size = 256 * 1024;
  const pieces = [
    " ",
    "a ",
    "[",
    "[a",
    "a=",
    'a="',
    '"\\',
    "-",
    ": ",
    "1",
    "1:",
    "1 ",
    "<1>",
    "\t",
    "a.",
    "(",
    "a:1",
    "|",
    "2006-01-02 ",
  ];
  const beginnings = [
    "",
    "{",
    "2006-01-02 15:04:05 ",
    "2006-01-02 15:04:05 INFO ",
    'a - - [02/Jan/2006:15:04:05 +0000] "',
    "<13>1 - - - - - [a ",
    "Jan  2 15:04:05 ",
  ];
  for (const beginning of beginnings) {
    for (const piece of pieces) {
      const line = beginning + piece.repeat(size / piece.length);
      const began = performance.now();
      read(line);
      expect(performance.now() - began, `${beginning}${piece}...`).toBeLessThan(1000);
    }
  }
});

test("what Redis writes while it handles a signal has its time, too", () => {
  expect(createReader()("7:signal-handler (1136214245) Received SIGTERM")).toEqual([
    "redis",
    "2006-01-02T15:04:05",
    13,
    "Received SIGTERM",
  ]);
});
