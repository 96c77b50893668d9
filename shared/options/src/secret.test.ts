import { inspect } from "node:util";

import { expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import { jsonSchemaOf, markdownOf, option, printConfig, Secret, secret, usageOf } from "./index.ts";

const table = { apiToken: option({ kind: secret(), section: "S", summary: "The token." }) };
const HIDDEN = "hunter2-hunter2";
const files = { "/run/token": `${HIDDEN}\n`, "/empty": "\n", "/crlf": `${HIDDEN}\r\n`, [HIDDEN]: "" };

test("a secret is read from the file that a flag, a variable or a key names, without its last line break", () => {
  for (const given of [
    { argv: ["--api-token-file", "/run/token"] },
    { argv: ["--api-token-file=/crlf"] },
    { env: { DEMO_API_TOKEN_FILE: "/run/token" } },
    { env: { DEMO_CONFIG_INLINE: "apiTokenFile: /run/token" } },
  ]) {
    const { values, problems } = resolve(table, { ...given, files });
    expect(problems).toEqual([]);
    expect(values.apiToken?.reveal()).toBe(HIDDEN);
  }
});

test("nothing that turns a secret into text shows it", () => {
  const it = new Secret(HIDDEN, "/run/token");
  const error = new Error(`no: ${String(it)}`, { cause: it });
  const shown = [
    `${String(it)}`,
    `${it as unknown as string}`,
    JSON.stringify({ it, list: [it] }),
    inspect({ it }, { depth: 9, showHidden: true }),
    inspect(error),
    Object.values(it).join(),
    JSON.stringify(structuredClone({ ...it })),
  ];
  for (const text of shown) expect(text).not.toContain(HIDDEN);
  expect(it.reveal()).toBe(HIDDEN);
});

test("neither the printed values nor the descriptions show it, and the path is printed so that it can be read again", () => {
  const { values, origins } = resolve(table, { argv: ["--api-token-file", "/run/token"], files });
  const printed = printConfig(table, values, origins);
  expect(printed).toBe("apiTokenFile: /run/token # flag --api-token-file");
  expect(JSON.stringify(values)).toBe('{"apiToken":"[redacted]"}');
  expect(resolve(table, { env: { DEMO_CONFIG_INLINE: printed }, files }).values.apiToken?.reveal()).toBe(HIDDEN);
  expect(usageOf("demo", { summary: "Shows.", table, commands: [] })).toContain("--api-token-file <path>");
  expect(markdownOf("demo", table)).toContain("`DEMO_API_TOKEN_FILE`");
  expect(jsonSchemaOf("demo", table)["properties"]).toHaveProperty("apiTokenFile");
});

test("a secret that was put where its path or something else belongs is not shown in the problem", () => {
  const wrong = [
    { argv: ["--api-token", HIDDEN] },
    { argv: [`--api-token=${HIDDEN}`] },
    { argv: ["--api-token-file", `${HIDDEN}x`] },
    { argv: [`--api-token-file=${HIDDEN}`] },
    { env: { DEMO_API_TOKEN: HIDDEN } },
    { env: { DEMO_API_TOKEN_FILE: `${HIDDEN}x` } },
    { env: { DEMO_API_TOKEN_FILE: `-----BEGIN-----\n${HIDDEN}` } },
    { env: { DEMO_CONFIG_INLINE: `apiToken: ${HIDDEN}` } },
  ];
  for (const given of wrong) {
    const { problems } = resolve(table, { ...given, files });
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain(HIDDEN);
  }
  expect(resolve(table, { argv: [`--api-token=${HIDDEN}`] }).problems).toEqual([
    "--api-token: expected a known flag (did you mean --api-token-file?)",
  ]);
});

test.each([
  ["/none", "expected a readable file, got /none (ENOENT)"],
  ["./none", "expected a readable file, got ./none (ENOENT)"],
  ["none", "expected a readable file, got [redacted] (ENOENT)"],
  ["/empty", "expected a file that holds the secret, got /empty, which is empty"],
  ["", "expected the path of a file that holds the secret, got nothing"],
])("the path %j is refused with the reason", (path, problem) => {
  expect(resolve(table, { argv: [`--api-token-file=${path}`], files }).problems).toEqual([
    `--api-token-file: ${problem}`,
  ]);
});

test("a path that is no text is refused", () => {
  expect(resolve(table, { env: { DEMO_CONFIG_INLINE: "apiTokenFile: [a]" } }).problems).toEqual([
    'DEMO_CONFIG_INLINE: apiTokenFile: expected the path of a file that holds the secret, got ["a"]',
  ]);
});
