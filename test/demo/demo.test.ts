import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { request, repository, runtimePath, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { runChecks } from "./checking.ts";
import type { Part, RunningPart } from "./part.ts";
import { ask } from "./tls-sidecar/client.ts";

const script = join(repository, "scripts", "demo.ts");

/** Starts `npm run demo`'s own program, without a terminal, and with a folder of its own for temporary files. */
function startDemo(...args: string[]) {
  const temporary = tempDir(onTestFinished);
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(runtimePath("node"), [script, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGTERM"));
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (s: string) => (text += s));
  const status = once(child, "close").then(([code]) => code as number | null);
  return { child, text: () => text, status, left: () => readdirSync(temporary) };
}

const found = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`expected ${pattern}, got ${text}`);
  return match[1]!;
};

test("--check finds everything in order, and says so line by line", async () => {
  const { text, status, left } = startDemo("--check", "--runtime", "node");
  expect([await status, text()]).toEqual([0, expect.stringMatching(/\nall is well\n$/)]);
  expect(text().match(/^ok   /gm)!.length).toBeGreaterThanOrEqual(13);
  expect(left()).toEqual([]);
}, 90_000);

test("the demo explains itself, serves what it has printed, and is gone after SIGINT", async () => {
  const { child, text, status, left } = startDemo("--free-ports");
  await until(() => text().includes("readiness changed  ready=true"), { timeoutMs: 45_000, describe: "the demo" });
  const shown = text();
  expect(shown).not.toContain("\u001b[");
  const ca = found(shown, /curl --cacert (\S+\/ca\.crt) https/);
  const url = new URL(found(shown, /curl --cacert \S+ (https:\/\/localhost:\d+\/words\/outrigger)/));
  const { status: answered } = await ask({ port: Number(url.port), ca: readFileSync(ca, "utf8") }, url.pathname);
  expect(answered).toBe(200);
  await until(() => /^dictionary {2}\| !.* lookup\/outrigger ~ hit/m.test(text()), {
    describe: "the application's line",
  });
  await until(() => /^tls-sidecar \| .* 200 GET \/words\/outrigger/m.test(text()), { describe: "the access log" });

  child.kill("SIGINT");
  expect([await status, text()]).toEqual([0, expect.stringContaining("tls-sidecar ended: exit status 0")]);
  expect(left()).toEqual([]);
  const ports = [...shown.matchAll(/ https?:\/\/(?:127\.0\.0\.1|localhost):(\d+) {3}/g)].map(([, port]) =>
    Number(port),
  );
  expect(ports.length).toBeGreaterThanOrEqual(5);
  for (const port of ports) {
    await expect(request({ host: "127.0.0.1", port }, "/")).rejects.toThrow("ECONNREFUSED");
  }
}, 90_000);

test("a signal while the demo still starts leaves nothing either", async () => {
  const { child, text, status, left } = startDemo("--check", "--runtime", "node");
  await until(() => left().length > 0, { timeoutMs: 15_000, describe: "the start" });
  child.kill("SIGTERM");
  expect(await status).toBe(1);
  expect(text()).toMatch(/^demo: interrupted by SIGTERM$/m);
  expect(left()).toEqual([]);
});

test.each([
  [["--runtime", "deno"], 2, "demo: --runtime: expected node or bun, got deno"],
  [["--chek"], 2, "demo: Unknown option '--chek'"],
  [["--help"], 0, "Usage: npm run demo"],
] as const)("%j ends with status %i", async (args, expected, message) => {
  const { text, status } = startDemo(...args);
  expect([await status, text()]).toEqual([expected, expect.stringContaining(message)]);
});

const { signal: interrupted } = new AbortController();

/** A part without containers. */
const partOf = (start: (folder: string) => Partial<RunningPart>): Part => ({
  summary: "nothing is beside it",
  start: async ({ folder }) => ({
    processes: [],
    listeners: [],
    files: [],
    tries: [],
    keys: [],
    checks: [],
    ...start(folder),
  }),
});

test("a check that fails is told, counted, and leaves nothing", async () => {
  let text = "";
  let seen = "";
  const run = (): Promise<string> => Promise.reject(new Error("it is broken"));
  const broken = partOf((folder) => {
    seen = folder;
    return { checks: [{ what: "something", run }] };
  });
  expect(await runChecks({ parts: [broken], runtime: "node", interrupted, write: (some) => (text += some) })).toBe(1);
  expect(text).toMatch(/^FAIL something: +it is broken$/m);
  expect(text).toMatch(/^dictionary \| !.* boot ~ listening/m);
  expect(existsSync(seen)).toBe(false);
});

test("a part that cannot start ends the demo, and leaves nothing", async () => {
  let seen = "";
  const broken = partOf((folder) => {
    seen = folder;
    throw new Error("no way");
  });
  await expect(runChecks({ parts: [broken], runtime: "node", interrupted, write: () => {} })).rejects.toThrow("no way");
  expect(existsSync(seen)).toBe(false);
});
