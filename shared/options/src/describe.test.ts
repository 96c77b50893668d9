import { Ajv } from "ajv";
import type { Arbitrary } from "fast-check";
import {
  array,
  assert,
  boolean as anyBoolean,
  constantFrom,
  double,
  integer as anyInteger,
  json,
  oneof,
  option as maybe,
  property,
  record,
  string,
  stringMatching,
} from "fast-check";
import { expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import {
  commandsMarkdown,
  address,
  boolean,
  bytes,
  choice,
  configOption,
  duration,
  integer,
  jsonSchemaOf,
  list,
  markdownOf,
  option,
  path,
  printConfig,
  ratio,
  secret,
  structured,
  text,
  usageOf,
  usageOfCommand,
  z,
} from "./index.ts";

const described = { section: "Traffic", summary: "What it does." };
const rule = z.strictObject({
  to: address().schema,
  after: duration().schema.optional(),
  weight: z.number().min(0).default(1),
  names: list(text()).schema.optional(),
});
const table = {
  listen: option({ ...described, kind: address("0.0.0.0"), default: "0.0.0.0:8443" }),
  names: option({ ...described, kind: list(text("a common name")) }),
  sockets: option({ ...described, kind: list(address()) }),
  ports: option({ ...described, kind: list(integer(1, 10)), default: "1,2" }),
  greeting: option({ ...described, kind: text(), aliases: { HELLO: String } }),
  file: option({ ...described, kind: path() }),
  idleTimeout: option({ ...described, kind: duration(), default: "10" }),
  maxBody: option({ ...described, kind: bytes(), default: "1MiB" }),
  workers: option({ ...described, kind: integer(-64, 64), default: "1" }),
  share: option({ ...described, kind: ratio(), default: "25%" }),
  minVersion: option({ ...described, kind: choice(["none", "1.2", "1.3"]), default: "1.2" }),
  dryRun: option({ ...described, kind: boolean(), default: "false" }),
  rules: option({ ...described, section: "Rules", kind: structured(z.array(rule), "a list of rules") }),
  token: option({ ...described, section: "Rules", kind: secret() }),
  ...configOption,
};
const files = { "/token": "x", "./token #2": "y" };
const readInline = (text: string) => resolve(table, { env: { DEMO_CONFIG_INLINE: text }, files });

/** Values as a user may write them into a file, most of them right. */
const scalarText = oneof(
  string(),
  string({ unit: "grapheme", maxLength: 80 }),
  constantFrom(
    "# no comment",
    "a: b",
    "- x",
    "null",
    "yes",
    "1.0",
    "a\nb\n",
    `${"long ".repeat(30)}\n\nline`,
    " x ",
    // White space to JavaScript, but not to YAML.
    "\u00A0",
    "\uFEFF",
    "\u2028 ",
    "a\u0085",
    "'",
    '"\t',
  ),
);
const aNumber = oneof(anyInteger(), double({ noNaN: true, noDefaultInfinity: true }));
const anAddress = constantFrom<unknown>("h:1", "[::1]:2", ":3", 4, "unix:/run/x #1", " h:5 ", "[fe80::1%eth0]:6");
const aDuration = oneof<Arbitrary<unknown>[]>(
  stringMatching(/^[0-9]{1,4}(\.[0-9]{1,3})?(ms|s|m|h)?$/),
  anyInteger({ min: 0, max: 10_000 }),
  double({ min: 0, max: 1000, noNaN: true }),
);
const aList = (item: Arbitrary<unknown>) => oneof(array(item, { maxLength: 4 }), item);
const document = record(
  {
    listen: anAddress,
    names: aList(oneof(scalarText, aNumber)),
    sockets: aList(anAddress),
    ports: oneof<Arbitrary<unknown>[]>(aList(anyInteger({ min: 1, max: 10 })), constantFrom("3", "4,5", " 6 , 7 ", "")),
    greeting: oneof(scalarText, aNumber),
    file: scalarText,
    idleTimeout: aDuration,
    maxBody: oneof<Arbitrary<unknown>[]>(
      stringMatching(/^[0-9]{1,5}(\.[0-9])?(B|k|kB|K|KiB|M|MB|MiB|G|GB|GiB)?$/),
      aNumber,
    ),
    workers: oneof<Arbitrary<unknown>[]>(anyInteger({ min: -64, max: 64 }), constantFrom(" 5 ", "-6")),
    share: oneof<Arbitrary<unknown>[]>(
      double({ min: 0, max: 1, noNaN: true }),
      constantFrom("0.5", "5%", "2.5e-9%", " 1 "),
    ),
    minVersion: constantFrom<unknown>("none", "1.2", 1.3),
    dryRun: oneof<Arbitrary<unknown>[]>(anyBoolean(), constantFrom("yes", "OFF", " True ", "0", 0, 1)),
    rules: array(
      record(
        {
          to: anAddress,
          after: aDuration,
          weight: double({ min: 0, noNaN: true, noDefaultInfinity: true }),
          names: aList(scalarText),
        },
        { requiredKeys: ["to"] },
      ),
      { maxLength: 3 },
    ),
    tokenFile: constantFrom("/token", "./token #2"),
  },
  { requiredKeys: [] },
);

const revealed = (values: { readonly token?: { reveal(): string } | undefined }) => ({
  ...values,
  token: values.token?.reveal(),
});

test("what printConfig prints reads back to the same values", () => {
  let complete = 0;
  assert(
    property(document, (written) => {
      const { values, origins, problems } = readInline(JSON.stringify(written));
      if (problems.length > 0) return;
      complete += 1;
      const again = readInline(printConfig(table, values, origins));
      expect(again.problems).toEqual([]);
      expect(revealed(again.values)).toEqual(revealed(values));
    }),
    { numRuns: 1000 },
  );
  expect(complete).toBeGreaterThan(100);
});

test("the JSON Schema accepts what is accepted from a file", () => {
  const validate = new Ajv({ strict: false }).compile(jsonSchemaOf("demo", table));
  let complete = 0;
  const withMistakes = record(
    {
      listen: json(),
      names: maybe(scalarText),
      dryRun: scalarText,
      workers: json(),
      maxBody: aNumber,
      share: scalarText,
    },
    { requiredKeys: [] },
  );
  assert(
    property(oneof(document, withMistakes), (written) => {
      if (readInline(JSON.stringify(written)).problems.length > 0) return;
      complete += 1;
      expect([written, validate(written), validate.errors]).toEqual([written, true, null]);
    }),
    { numRuns: 1000 },
  );
  expect(complete).toBeGreaterThan(100);
});

test("the JSON Schema refuses unknown keys and what is plainly of another form, and its defaults conform to it", () => {
  const schema = jsonSchemaOf("demo", table);
  const validate = new Ajv({ strict: false }).compile(schema);
  for (const wrong of [
    { nonsense: 1 },
    { config: "/f" },
    { listen: {} },
    { idleTimeout: "5min" },
    { idleTimeout: -1 },
    { workers: 65 },
    { share: 1.5 },
    { dryRun: "perhaps" },
    { minVersion: "1.1" },
    { names: { a: 1 } },
    { rules: [{ weight: 1 }] },
    { rules: [{ to: "h:1", after: "soon" }] },
    { tokenFile: "" },
  ]) {
    expect([wrong, validate(wrong)]).toEqual([wrong, false]);
  }
  const properties = schema["properties"] as Record<string, { default?: string }>;
  const defaults = Object.entries(properties).filter(([, { default: value }]) => value !== undefined);
  expect(validate(Object.fromEntries(defaults.map(([key, { default: value }]) => [key, value])))).toBe(true);
  expect(schema).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#", additionalProperties: false });
});

test("printConfig shows each value as it would be written, with its origin", () => {
  const { values, origins } = resolve(table, {
    argv: ["--names", "a,b", "--idle-timeout=90", "--config", "/f"],
    env: { DEMO_DRY_RUN: "1", HELLO: "a # b" },
    files: { ...files, "/f": "rules: [{to: 8080, after: 60}]\ntokenFile: /token\nmaxBody: 2048\n" },
  });
  expect(printConfig(table, values, origins).split("\n")).toEqual([
    "listen: 0.0.0.0:8443 # default",
    "names: # flag --names",
    "  - a",
    "  - b",
    "sockets: [] # default",
    "ports: # default",
    "  - 1",
    "  - 2",
    'greeting: "a # b" # variable HELLO',
    "idleTimeout: 90s # flag --idle-timeout",
    "maxBody: 2KiB # /f: maxBody",
    "workers: 1 # default",
    "share: 0.25 # default",
    'minVersion: "1.2" # default',
    "dryRun: true # variable DEMO_DRY_RUN",
    "rules: # /f: rules",
    "  - to: 127.0.0.1:8080",
    "    after: 1m",
    "    weight: 1",
    "tokenFile: /token # /f: tokenFile",
  ]);
});

test("usage lists every flag with its variables and default, by section, within 100 columns", () => {
  const usage = usageOf("demo", { summary: "Shows.", table, commands: [] });
  expect(usage).toContain("demo - Shows.");
  expect(usage).toContain(
    "Traffic:\n  --listen <address>\n      What it does.\n      [DEMO_LISTEN] [default: 0.0.0.0:8443]",
  );
  expect(usage).toContain("  --dry-run\n");
  expect(usage).toContain("[DEMO_GREETING, HELLO]");
  expect(usage).toContain("  --token-file <path>");
  expect(usage).not.toContain("--rules");
  for (const action of ["--help", "--version", "--print-config", "--check-config", "healthcheck"]) {
    expect(usage).toContain(action);
  }
  for (const line of usage.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("usage and Markdown list the commands with their words, and a command's own usage its flags", () => {
  const flags = { deep: table.dryRun };
  const commands = [{ name: "route", summary: "Tells the shard.", words: ["key"], flags }];
  const usage = usageOf("demo", { summary: "Shows.", table, commands });
  expect(usage).toContain("Usage: demo [flags]\n       demo healthcheck\n       demo route <key> [flags]\n");
  expect(usage).toContain("  route <key>\n      Tells the shard.\n");
  const own = usageOfCommand("demo", commands[0]!);
  expect(own).toContain("demo route - Tells the shard.\n\nUsage: demo route <key> [flags]\n\n  --deep\n");
  expect(commandsMarkdown("demo", commands)).toContain("| `demo route <key>` | Tells the shard. | `--deep`: What it");
});

test("the Markdown has a table for each section, and escapes what would break a row", () => {
  const markdown = markdownOf("demo", table);
  const rows = markdown.split("\n");
  expect(rows).toContain("| `--listen` | `DEMO_LISTEN` | `listen` | address | `0.0.0.0:8443` | What it does. |");
  expect(rows).toContain(
    "| `--min-version` | `DEMO_MIN_VERSION` | `minVersion` | none\\|1.2\\|1.3 | `1.2` | What it does. |",
  );
  expect(rows).toContain("|  |  | `rules` | object |  | What it does. |");
  expect(rows.filter((row) => row.startsWith("**"))).toEqual(["**Traffic**", "**Rules**", "**General**"]);
});
