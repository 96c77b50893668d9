import { describe, expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import {
  address,
  boolean,
  bytes,
  choice,
  duration,
  integer,
  list,
  option,
  path,
  ratio,
  structured,
  text,
  z,
} from "./index.ts";
import type { AnyKind } from "./table.ts";

const POSITIVE_DURATION = "a duration above 0, such as 500ms, 10s, 5m or 1h (a bare number is seconds)";
const DURATION = "a duration such as 500ms, 10s, 5m or 1h (a bare number is seconds)";
const ADDRESS = "host:port, [ipv6]:port or unix:/path";
const BYTES = "a size such as 16KiB, 10MiB or 500k (a bare number is bytes)";
const RATIO = "a number from 0 to 1, or a percentage such as 25%";

type Case = {
  kind: AnyKind;
  /** What was given, and what it means. */
  good: readonly (readonly [given: unknown, value: unknown])[];
  /** What was given, what the error expects, and what it says was given if that is not the same. */
  bad: readonly (readonly [given: unknown, expected: string, got?: string])[];
};

const cases: Record<string, Case> = {
  text: {
    kind: text(),
    good: [
      ["a b", "a b"],
      ["", ""],
      [12, "12"],
      [1.5, "1.5"],
    ],
    bad: [
      [true, "text"],
      [["a"], "text", '["a"]'],
      [{ a: 1 }, "text", '{"a":1}'],
      // YAML keeps no more than 53 bits: the text is lost already.
      [2 ** 64, "text", "18446744073709552000"],
    ],
  },
  path: {
    kind: path(),
    good: [
      ["/etc/x", "/etc/x"],
      ["x", "x"],
    ],
    bad: [
      ["", "a path", "nothing"],
      ["a\0b", "a path"],
      [5, "a path"],
    ],
  },
  address: {
    kind: address("0.0.0.0"),
    good: [
      ["localhost:80", { host: "localhost", port: 80 }],
      ["a-b.example.:80", { host: "a-b.example.", port: 80 }],
      ["10.0.0.1:65535", { host: "10.0.0.1", port: 65_535 }],
      ["[::1]:443", { host: "::1", port: 443 }],
      ["[fe80::1%eth0]:1", { host: "fe80::1%eth0", port: 1 }],
      [":0", { host: "0.0.0.0", port: 0 }],
      ["8080", { host: "0.0.0.0", port: 8080 }],
      [8080, { host: "0.0.0.0", port: 8080 }],
      [" localhost:80 ", { host: "localhost", port: 80 }],
      ["unix:/run/app.sock", { path: "/run/app.sock" }],
    ],
    bad: [
      ["", ADDRESS, "nothing"],
      ["localhost", ADDRESS],
      ["localhost:65536", ADDRESS],
      ["::1:80", ADDRESS],
      ["[localhost]:80", ADDRESS],
      ["[10.0.0.1]:80", ADDRESS],
      ["a b:80", ADDRESS],
      ["-a:80", ADDRESS],
      ["http://localhost:80", ADDRESS],
      ["unix:", ADDRESS],
      [`unix:/${"x".repeat(120)}`, ADDRESS, `unix:/${"x".repeat(74)}...`],
      [80.5, ADDRESS],
      [true, ADDRESS],
    ],
  },
  "positive duration": {
    kind: duration({ positive: true }),
    good: [
      ["1ms", 1],
      [10, 10_000],
    ],
    bad: [
      ["0", POSITIVE_DURATION],
      [0, POSITIVE_DURATION],
      ["0ms", POSITIVE_DURATION],
      ["0.0001ms", POSITIVE_DURATION],
      ["soon", POSITIVE_DURATION],
    ],
  },
  duration: {
    kind: duration(),
    good: [
      ["10", 10_000],
      [10, 10_000],
      [0.5, 500],
      ["0", 0],
      ["500ms", 500],
      ["10s", 10_000],
      ["1.5m", 90_000],
      ["1h", 3_600_000],
      ["24d", 2_073_600_000],
      [" 5s ", 5000],
    ],
    bad: [
      ["", DURATION, "nothing"],
      ["-1", DURATION],
      [-1, DURATION],
      ["5 s", DURATION],
      ["5S", DURATION],
      ["5min", DURATION],
      ["1h30m", DURATION],
      ["25d", DURATION],
      ["1e3", DURATION],
      [true, DURATION],
      ["5constructor", DURATION],
    ],
  },
  bytes: {
    kind: bytes(),
    good: [
      ["0", 0],
      ["500", 500],
      [500, 500],
      ["500k", 500_000],
      ["16KiB", 16_384],
      ["1K", 1024],
      ["1.5MiB", 1_572_864],
      ["1M", 1_000_000],
      ["2G", 2_000_000_000],
      ["2GiB", 2_147_483_648],
    ],
    bad: [
      ["", BYTES, "nothing"],
      ["10mb", BYTES],
      ["-1", BYTES],
      ["9007199254740992", BYTES],
      ["99999999999GiB", BYTES],
      [null, BYTES, "nothing"],
    ],
  },
  integer: {
    kind: integer(-5, 64),
    good: [
      ["1", 1],
      [64, 64],
      ["-5", -5],
      [" 7 ", 7],
    ],
    bad: [
      ["", "a whole number from -5 to 64", "nothing"],
      ["65", "a whole number from -5 to 64"],
      ["-6", "a whole number from -5 to 64"],
      ["1.5", "a whole number from -5 to 64"],
      ["0x1", "a whole number from -5 to 64"],
      ["1e1", "a whole number from -5 to 64"],
      [true, "a whole number from -5 to 64"],
    ],
  },
  ratio: {
    kind: ratio(),
    good: [
      ["0.25", 0.25],
      ["25%", 0.25],
      [1, 1],
      ["100%", 1],
      [1e-7, 1e-7],
    ],
    bad: [
      ["1.1", RATIO],
      ["101%", RATIO],
      ["-0.1", RATIO],
      [".5", RATIO],
      ["half", RATIO],
    ],
  },
  boolean: {
    kind: boolean(),
    good: [
      [true, true],
      ["yes", true],
      ["ON", true],
      [1, true],
      [false, false],
      ["False", false],
      ["off", false],
      ["0", false],
    ],
    bad: [
      ["", "true or false", "nothing"],
      ["2", "true or false"],
      ["y", "true or false"],
    ],
  },
  choice: {
    kind: choice(["none", "1.2"]),
    good: [
      ["none", "none"],
      ["1.2", "1.2"],
      [1.2, "1.2"],
    ],
    bad: [
      ["None", "one of none, 1.2"],
      ["", "one of none, 1.2", "nothing"],
      ["constructor", "one of none, 1.2"],
    ],
  },
};

/** Gives a value as the inline file, which can hold every native form. */
const given = (kind: AnyKind, value: unknown) =>
  resolve(
    { it: option({ kind, section: "S", summary: "It." }) },
    { env: { DEMO_CONFIG_INLINE: JSON.stringify({ it: value }) } },
  );

describe.each(Object.entries(cases))("%s", (_name, { kind, good, bad }) => {
  test.each(good)("takes %j as %j", (value, expected) => {
    const { values, problems } = given(kind, value);
    expect(problems).toEqual([]);
    expect(values.it).toEqual(expected);
  });

  test.each(good)("takes %j again in the form in which it formats it", (value) => {
    const parsed = kind.schema.parse(value);
    expect(kind.schema.parse(kind.format(parsed))).toEqual(parsed);
  });

  test.each(bad.filter(([value]) => value !== null))("refuses %j and says what it expects", (value, expected, got) => {
    expect(given(kind, value).problems).toEqual([
      `DEMO_CONFIG_INLINE: it: expected ${expected}, got ${got ?? String(value)}`,
    ]);
  });
});

describe("a list", () => {
  const ports = list(integer(1, 10), { maxItems: 3 });

  test("is text with commas between its items, a list, or one item", () => {
    for (const value of ["1,2", " 1 , 2 ,", [1, 2], ["1", 2]]) expect(given(ports, value).values.it).toEqual([1, 2]);
    expect(given(ports, 7).values.it).toEqual([7]);
    expect(given(ports, "").values.it).toEqual([]);
    expect(given(list(text()), ["a,b", ""]).values.it).toEqual(["a,b", ""]);
  });

  test("names the item that is wrong, by its place", () => {
    const form = "expected a whole number from 1 to 10, got";
    expect(given(ports, "1,x,11").problems).toEqual([
      `DEMO_CONFIG_INLINE: it[1]: ${form} x`,
      `DEMO_CONFIG_INLINE: it[2]: ${form} 11`,
    ]);
    expect(given(ports, [1, { a: 1 }]).problems).toEqual([`DEMO_CONFIG_INLINE: it[1]: ${form} {"a":1}`]);
    expect(given(ports, { a: 1 }).problems).toEqual([`DEMO_CONFIG_INLINE: it[0]: ${form} {"a":1}`]);
  });

  test("refuses more items than it may have, however many there are", () => {
    expect(given(ports, "1,2,3,4").problems).toEqual(["DEMO_CONFIG_INLINE: it: expected at most 3 items, got 1,2,3,4"]);
    const many = "x,".repeat(5000);
    expect(given(list(integer(1, 2)), many).problems).toEqual([
      `DEMO_CONFIG_INLINE: it: expected at most 1000 items, got ${many.slice(0, 80)}...`,
    ]);
  });
});

describe("a structured value", () => {
  const routes = structured(
    z.array(
      z.strictObject({
        to: address().schema,
        weight: z.number().min(0).default(1),
        after: duration().schema.optional(),
      }),
    ),
    "a list of routes",
  );

  test("is read by its schema, with kinds inside", () => {
    expect(given(routes, [{ to: "h:1", after: "5s" }]).values.it).toEqual([
      { to: { host: "h", port: 1 }, weight: 1, after: 5000 },
    ]);
  });

  test("names the part that is wrong", () => {
    expect(
      given(routes, [{ to: "h" }, { to: "h:1", weight: "x" }, { to: "h:1", weight: -1, wieght: 1 }]).problems,
    ).toEqual([
      `DEMO_CONFIG_INLINE: it[0].to: expected ${ADDRESS}, got h`,
      "DEMO_CONFIG_INLINE: it[1].weight: expected number, got x",
      "DEMO_CONFIG_INLINE: it[2].weight: expected number to be >=0, got -1",
      'DEMO_CONFIG_INLINE: it[2]: expected no key wieght, got {"to":"h:1","weight":-1,"wieght":1}',
    ]);
    expect(given(routes, "x").problems).toEqual(["DEMO_CONFIG_INLINE: it: expected a list of routes, got x"]);
  });
});

test("a default that is not of its kind is refused when the option is described", () => {
  expect(() => option({ kind: duration(), default: "soon", section: "S", summary: "It." })).toThrow(
    `default: expected ${DURATION}, got soon`,
  );
});
