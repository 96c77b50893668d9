// What testssl.sh, an independent judge, says of the defaults.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { requirePrograms, startApp, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startSidecar } from "./sidecar.ts";

const run = promisify(execFile);
const testssl = requirePrograms("testssl", "openssl");

type Finding = { readonly id: string; readonly severity: string; readonly finding: string };

describe.skipIf(testssl.skip)(testssl.title("testssl.sh"), () => {
  test("finds no weakness: protocols, server's preference, forward secrecy, known attacks", async () => {
    const app = await startApp((_, response) => response.end("hello"), { cleanup });
    const sidecar = await startSidecar({ target: app.address, args: ["--no-access-log"], cleanup });
    const report = join(tempDir(cleanup), "report.json");
    const checks = ["--protocols", "--server-preference", "--fs", "--vulnerable"];
    const how = ["--quiet", "--sneaky", "--warnings", "batch", "--ip", "one", "--jsonfile", report];
    // Its exit status counts findings of any kind.
    await run(testssl.path("testssl"), [...how, ...checks, `https://localhost:${sidecar.port}/`]).catch(
      () => undefined,
    );
    const findings = JSON.parse(readFileSync(report, "utf8")) as Finding[];
    const weak = findings.filter(({ severity }) => !["OK", "INFO", "DEBUG"].includes(severity));
    // About the machine's own openssl, not about us.
    expect(weak.filter(({ id }) => id !== "engine_problem")).toEqual([]);
    expect(findings.filter(({ severity }) => severity === "OK").length).toBeGreaterThan(20);
  }, 180_000);
});
