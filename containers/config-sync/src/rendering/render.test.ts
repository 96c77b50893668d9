import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { LimitError } from "@outrigger/files";
import { tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { parseRenderer, readVariables } from "./render.ts";
import { expandVariables } from "./variables.ts";

const variables = { HOST: "db", EMPTY: "", DOLLAR: "${HOST}" };

async function render(written: string, files: Record<string, string | Buffer>): Promise<Record<string, string>> {
  const parsed = parseRenderer(written);
  if (parsed.problem !== undefined) throw new Error(parsed.problem);
  const set = new Map(Object.entries(files).map(([path, content]) => [path, { content: Buffer.from(content) }]));
  const rendered = await parsed.value(set, { variables, maxBytes: 1000 });
  return Object.fromEntries([...rendered].map(([path, { content }]) => [path, String(content)]));
}

test.each([
  ["host=${HOST}", "host=db"],
  ["${HOST:-x} ${EMPTY:-x} ${MISSING:-x} ${MISSING:-}", "db x x "],
  ["${EMPTY}|$${HOST}|$HOST|${HOST", "|${HOST}|$HOST|${HOST"],
  ["${DOLLAR}", "${HOST}"],
  ["$1 ${1} ${} ${a-b}", "$1 ${1} ${} ${a-b}"],
])("%j becomes %j", (text, expected) => {
  expect(expandVariables(text, variables)).toBe(expected);
});

test("a variable that is not there is an error that names it, and no inherited property is one", () => {
  expect(() => expandVariables("${MISSING}", variables)).toThrow("expected a variable or a file named MISSING");
  expect(() => expandVariables("${constructor}", variables)).toThrow("named constructor");
});

test("only the files that are meant are rendered", async () => {
  expect(await render("env@*.conf", { "a.conf": "${HOST}", "sub/b.conf": "${HOST}", "c.txt": "${MISSING}" })).toEqual({
    "a.conf": "db",
    "sub/b.conf": "db",
    "c.txt": "${MISSING}",
  });
  await expect(render("env", { "c.txt": "${MISSING}" })).rejects.toThrow("render: c.txt: expected a variable");
  await expect(render("env", { bin: Buffer.from([0xff, 0xfe]) })).rejects.toThrow("render: bin: ");
});

test("templates of Liquid are rendered on request, and a key that is missing is an error", async () => {
  const template =
    "{% for n in (1..2) %}{{ HOST }}{{ n }} {% endfor %}{{ env.EMPTY | default: 'none' }}{{ 'a' | upcase }}";
  expect(await render("liquid", { "a.conf.liquid": template, "b.conf": "{{ HOST }}" })).toEqual({
    "a.conf": "db1 db2 noneA",
    "b.conf": "{{ HOST }}",
  });
  expect(await render("liquid@b.conf", { "b.conf": "{{ HOST }}" })).toEqual({ "b.conf": "db" });
  const fails = (text: string) => expect(render("liquid", { "x.liquid": text })).rejects.toThrow("render: x.liquid: ");
  await fails("{{ MISSING }}");
  await fails("{{ env.MISSING }}");
  await fails("{{ HOST | unknown }}");
  await fails("{{ HOST.constructor }}");
  await fails("{% if %}");
});

test("a template reads no files, and what it may cost is bounded", async () => {
  const fails = (text: string) => expect(render("liquid", { "x.liquid": text })).rejects.toThrow("render: x.liquid: ");
  await fails("{% include '/etc/passwd' %}");
  await fails("{% render 'x.liquid' %}");
  await fails("{% for n in (1..1000000000) %}x{% endfor %}");
  await fails("{% assign s = 'xxxxxxxxxx' %}{% for n in (1..100) %}{% assign s = s | append: s %}{% endfor %}{{ s }}");
  const before = performance.now();
  await fails(
    "{% for a in (1..900) %}{% for b in (1..900) %}{% for c in (1..900) %}{{ c }}{% endfor %}{% endfor %}{% endfor %}",
  );
  expect(performance.now() - before).toBeLessThan(5000);
});

test("gzip and base64 are undone, and their endings taken off", async () => {
  expect(await render("gunzip", { "a.json.gz": gzipSync("{}"), b: "x" })).toEqual({ "a.json": "{}", b: "x" });
  expect(await render("base64", { "a.b64": "eA==\n", b: "eA==" })).toEqual({ a: "x", b: "eA==" });
  expect(await render("base64@b", { b: "eA==" })).toEqual({ b: "x" });
  await expect(render("gunzip", { "a.gz": "no" })).rejects.toThrow("render: a.gz: ");
  await expect(render("gunzip", { "a.gz": gzipSync(Buffer.alloc(10_000)) })).rejects.toThrow(LimitError);
  await expect(render("base64", { "a.b64": "?" })).rejects.toThrow("render: a.b64: expected base64");
  await expect(render("gunzip", { "a.gz": gzipSync("1"), a: "2" })).rejects.toThrow("expected a name that is free");
});

test("variables come from the environment and, before that, from the files of folders", async () => {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "HOST"), "from file\n");
  writeFileSync(join(folder, "not-a-name"), "x");
  mkdirSync(join(folder, "..data"));
  expect(await readVariables(variables, [folder])).toEqual({ ...variables, HOST: "from file" });
});

test.each(["sed", "env@", ""])("%j is no way to render", (text) => {
  expect(parseRenderer(text).problem).toMatch(/^expected env, liquid, gunzip, base64/);
});
