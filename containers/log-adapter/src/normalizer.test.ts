import { array, assert, asyncProperty, constantFrom, integer, oneof, string, uint8Array } from "fast-check";
import { expect, test } from "vitest";

import { createModel } from "./model.ts";
import { createPump } from "./pump.ts";

type OtelRecord = {
  Timestamp?: string;
  SeverityText?: string;
  SeverityNumber: number;
  Body: string;
  Attributes: Record<string, unknown>;
};

/** A pump into memory, with its counts. */
function createRun({ maxLine = 1000, model = "otel" as "otel" | "ecs", charset = "utf-8" } = {}) {
  const records: OtelRecord[] = [];
  const write = createModel(model, { "service.name": "shop" });
  const counts = { read: 0, delivered: 0, dropped: 0 };
  const pump = createPump(
    {
      zone: "UTC",
      own: [],
      only: undefined,
      charset,
      process: () => "pass",
      now: () => Date.parse("2026-11-22T12:00:00Z"),
      maxRecord: 10_000,
      keepOriginal: false,
      maxLine,
      multilineTimeout: 0,
      countRecord: () => undefined,
      outputs: {
        encode: (texts, reading, circumstances) => void texts.push(write(reading, circumstances)),
        hasRoom: () => true,
        leftDelivered: async () => undefined,
        deliver: ({ texts }) => {
          for (const text of texts) records.push(JSON.parse(text) as OtelRecord);
          return { accepted: Promise.resolve(), done: Promise.resolve(true) };
        },
      },
    },
    {
      read: (lines) => void (counts.read += lines),
      delivered: (lines) => void (counts.delivered += lines),
      dropped: (lines) => void (counts.dropped += lines),
    },
  );
  return { pump, records, counts };
}

async function recordsOf(text: string | Buffer, settings = {}): Promise<OtelRecord[]> {
  const { pump, records } = createRun(settings);
  await pump.push(Buffer.from(text));
  await pump.end(true);
  return records;
}

const HEADER = "2006-01-02 15:04:05,000 ERROR [main] app.Main: it failed";
const JAVA = [
  "java.lang.RuntimeException: boom",
  "\tat app.Main.run(Main.java:12)",
  "Caused by: java.io.IOException: disk",
  "\t... 12 more",
];
const PYTHON = [
  "Traceback (most recent call last):",
  '  File "a.py", line 1, in <module>',
  "KeyError: 'a'",
  "",
  "During handling of the above exception, another exception occurred:",
  "",
  "Traceback (most recent call last):",
  '  File "a.py", line 3, in <module>',
  "shop.Problem: it is bad",
];

test.each([
  ["Java", JAVA, "java.lang.RuntimeException", "boom"],
  ["Python", PYTHON, "shop.Problem", "it is bad"],
  [
    "Node.js",
    ["TypeError: no function", "    at run (/app/a.js:1:2)", "    at main (/app/a.js:3:4)"],
    "TypeError",
    "no function",
  ],
  [
    "Go",
    ["panic: out of range", "", "goroutine 1 [running]:", "main.main()", "\t/app/a.go:5 +0x1d", "exit status 2"],
    "panic",
    "out of range",
  ],
  [
    "Rust",
    ["thread 'main' panicked at src/main.rs:2:5:", "it broke", "stack backtrace:", "   0: run"],
    "panic",
    "it broke",
  ],
  ["Ruby", ["a.rb:1:in 'run': it broke (ArgumentError)", "\tfrom a.rb:5:in '<main>'"], "ArgumentError", "it broke"],
  [
    ".NET",
    [
      "Unhandled exception. System.InvalidOperationException: it broke",
      "   at App.Run() in /app/a.cs:line 3",
      "   --- End of inner exception stack trace ---",
    ],
    "System.InvalidOperationException",
    "it broke",
  ],
  [
    "PHP",
    [
      "PHP Fatal error:  Uncaught RuntimeException: it broke",
      "Stack trace:",
      "#0 /app/a.php(3): run()",
      "#1 {main}",
      "  thrown in /app/a.php on line 3",
    ],
    "RuntimeException",
    "it broke",
  ],
])("a stack trace of %s is one record, with what was thrown", async (_, lines, type, message) => {
  const records = await recordsOf(`${lines.join("\n")}\n${HEADER}\n`);
  expect(records).toHaveLength(2);
  expect(records[0]!.Body).toBe(lines.join("\n"));
  expect(records[0]!.Attributes).toMatchObject({ "exception.type": type, "exception.message": message });
  expect(records[0]!.SeverityNumber).toBeGreaterThanOrEqual(17);
});

test.each([
  ["Java", JAVA],
  ["Python", PYTHON],
])("a stack trace of %s belongs to the line before it", async (_, lines) => {
  const records = await recordsOf([HEADER, ...lines, HEADER, ""].join("\n"));
  expect(records.map(({ Body }) => Body)).toEqual([["it failed", ...lines].join("\n"), "it failed"]);
  expect(records[0]).toMatchObject({ Timestamp: "2006-01-02T15:04:05.000Z", SeverityNumber: 17 });
  expect(records[0]!.Attributes["exception.stacktrace"]).toBe(lines.join("\n"));
});

test("two streams of a container's log do not mix, and split lines are whole again", async () => {
  const cri = (second: number, stream: string, mark: string, text: string) =>
    `2006-01-02T15:04:0${second}.000000001Z ${stream} ${mark} ${text}\n`;
  const records = await recordsOf(
    cri(1, "stdout", "F", JAVA[0]!) +
      cri(2, "stderr", "P", '{"level":"warn",') +
      cri(3, "stdout", "F", JAVA[1]!) +
      cri(4, "stderr", "F", '"msg":"hello"}') +
      `${JSON.stringify({ log: "plain\n", stream: "stdout", time: "2006-01-02T15:04:05Z" })}\n`,
  );
  expect(records.map(({ Timestamp, Body }) => [Timestamp, Body])).toEqual([
    ["2006-01-02T15:04:04.000Z", "hello"],
    ["2006-01-02T15:04:01.000Z", JAVA.slice(0, 2).join("\n")],
    ["2006-01-02T15:04:05.000Z", "plain"],
  ]);
});

test("java.util.logging has its level and message on the second line", async () => {
  const [record] = await recordsOf("Jan 02, 2006 3:04:05 PM app.Main run\nSEVERE: it broke\n");
  expect(record).toMatchObject({ Timestamp: "2006-01-02T15:04:05.000Z", SeverityNumber: 17, Body: "it broke" });
});

test("colours are taken off, carriage returns too, and control characters stay", async () => {
  const [record] = await recordsOf("2006-01-02 15:04:05 \u001b[32mINFO\u001b[0m app.Main: a\u0000b\r\n");
  expect(record).toMatchObject({ SeverityText: "INFO", Body: "a\u0000b" });
});

test("what is not UTF-8 is replaced and flagged, and its neighbours are not", async () => {
  const records = await recordsOf(Buffer.from([0xff, 97, 10, 195, 164, 10]));
  expect(records.map(({ Body }) => Body)).toEqual(["\ufffda", "ä"]);
  expect(records.map(({ Attributes }) => Attributes["log.flags"])).toEqual([
    ["invalid_utf8", "unparsed"],
    ["unparsed"],
  ]);
});

test("a line that is too long comes in pieces that are flagged, and no character is cut in two", async () => {
  const records = await recordsOf(`${"ä".repeat(25)}\nshort\n`, { maxLine: 15 });
  expect(records.map(({ Body }) => Body).join("")).toBe(`${"ä".repeat(25)}short`);
  expect(records.map(({ Attributes }) => (Attributes["log.flags"] as string[]).includes("truncated"))).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});

test("the Elastic Common Schema has the same under its own names", async () => {
  const [record] = await recordsOf([HEADER, ...JAVA, ""].join("\n"), { model: "ecs" });
  expect(record).toMatchObject({
    "@timestamp": "2006-01-02T15:04:05.000Z",
    "log.level": "ERROR",
    "process.thread.name": "main",
    "error.type": "java.lang.RuntimeException",
    "service.name": "shop",
  });
});

test("whatever comes in whatever pieces: read is delivered and dropped, and every line is in some record", async () => {
  const line = oneof(
    constantFrom("", HEADER, ...JAVA, ...PYTHON),
    string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, "")),
  );
  await assert(
    asyncProperty(array(line, { maxLength: 30 }), integer({ min: 1, max: 50 }), async (lines, size) => {
      const { pump, records, counts } = createRun();
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      for (let at = 0; at < bytes.length; at += size) await pump.push(bytes.subarray(at, at + size));
      await pump.end(true);
      expect(counts.read).toBe(lines.length);
      expect(counts.delivered + counts.dropped).toBe(lines.length);
      expect(pump.position()).toBe(bytes.length);
      const all = records.map(({ Body }) => Body).join("\n");
      for (const text of lines) if (text.trim() !== "" && text !== HEADER) expect(all).toContain(text.trim().slice(-3));
    }),
  );
});

test("bytes of any kind neither throw nor get lost", async () => {
  await assert(
    asyncProperty(uint8Array({ maxLength: 200 }), integer({ min: 1, max: 50 }), async (bytes, maxLine) => {
      const { pump, counts } = createRun({ maxLine });
      await pump.push(Buffer.from(bytes));
      await pump.end(true);
      expect(counts.delivered + counts.dropped).toBe(counts.read);
      expect(pump.position()).toBe(bytes.length);
    }),
  );
});

test("a slow query of MySQL is one record: its body is the query, with when, who and how long", async () => {
  const records = await recordsOf(
    [
      "# Time: 2006-01-02T15:04:05.123456Z",
      "# User@Host: me[me] @ web [10.0.0.1]  Id:     8",
      "# Query_time: 2.500000  Lock_time: 0.000010 Rows_sent: 1  Rows_examined: 7",
      "use shop;",
      "SET timestamp=1136214243;",
      "SELECT a,",
      "",
      "  b FROM c;",
      "# User@Host: you[you] @ localhost []  Id: 9",
      "# Query_time: 1.000000  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0",
      "SET timestamp=1136214245;",
      "DELETE FROM d;",
    ].join("\n"),
  );
  expect(records.map(({ Timestamp, Body }) => [Timestamp, Body])).toEqual([
    ["2006-01-02T15:04:05.123456Z", "SELECT a,\n\n  b FROM c;"],
    ["2006-01-02T15:04:05.000Z", "DELETE FROM d;"],
  ]);
  expect(records[0]!.Attributes).toMatchObject({
    "log.format": "mysql_slow",
    "user.name": "me",
    "client.address": "10.0.0.1",
    "thread.id": 8,
    "db.query.duration": 2.5,
    "db.namespace": "shop",
  });
  expect(records[1]!.Attributes).toMatchObject({ "client.address": "localhost", "db.query.duration": 1 });
});

test("a record of csvlog is whole when its quotes are closed, however many lines that takes", async () => {
  const head = '2006-01-02 15:04:05.123 UTC,"me","shop",7,"10.0.0.1:5",abc.7,1,"SELECT",2006-01-02 15:00:00 UTC,3/4,0,';
  const tail = ',,,,,,"select ""a"",\n\n\tb",15,,"psql","client backend",,0';
  const records = await recordsOf(
    `${head}ERROR,42P01,"no ""table""\nnamed b, c"${tail}\n${head}LOG,00000,"it works",,,,,,,,,"psql","client backend",,0\n`,
  );
  expect(records.map(({ SeverityNumber, Body }) => [SeverityNumber, Body])).toEqual([
    [17, 'no "table"\nnamed b, c'],
    [9, "it works"],
  ]);
  expect(records[0]!.Attributes).toMatchObject({
    "log.format": "postgresql_csv",
    "error.code": "42P01",
    "db.query.text": 'select "a",\n\n\tb',
  });
});

test("lines of another charset are read as what they say, and what is none of it is flagged", async () => {
  const [japanese] = await recordsOf(Buffer.from([0x83, 0x65, 0x83, 0x58, 0x83, 0x67, 0x0a]), { charset: "shift_jis" });
  expect(japanese!.Body).toBe("テスト");
  const [western] = await recordsOf(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]), { charset: "windows-1252" });
  expect(western!.Body).toBe("café");
  const [broken] = await recordsOf(Buffer.from([0x61, 0xff, 0x0a]), { charset: "shift_jis" });
  expect(broken!.Attributes["log.flags"]).toEqual(["invalid_utf8", "unparsed"]);
});
