// What a source would make of a sample, before anything runs.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { repository, runtimePath } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { configFile } from "./adapter.ts";

/** Runs the command with this on its standard input. */
function explain(
  source: object,
  sample: string,
  flags: readonly string[] = [],
): { status: number; out: string; err: string } {
  const bundle = join(repository, "containers", "metrics-adapter", "dist", "main.mjs");
  const args = [bundle, "explain", "--config", configFile(cleanup, { sources: [source] }), ...flags];
  try {
    const out = execFileSync(runtimePath(process.env["OUTRIGGER_RUNTIME"] ?? "node"), args, {
      input: sample,
      stdio: "pipe",
    });
    return { status: 0, out: out.toString(), err: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
    return { status, out: stdout.toString(), err: stderr.toString() };
  }
}

describe("explain", () => {
  test("shows the series of a sample, and the field that each is from", () => {
    const { status, out } = explain(
      { type: "redis" },
      "# Server\r\nuptime_in_seconds:5\r\n# Stats\r\nkeyspace_hits:3\r\n",
    );
    expect(status).toBe(0);
    expect(out).toMatch(/^# redis: \d+ series\n/);
    expect(out).toContain("redis_keyspace_hits_total 3 <- INFO Stats: keyspace_hits\n");
  });

  test("shows the rule that a pushed line fits, and which lines are none; then its status is 1", () => {
    const { status, out } = explain({ type: "statsd", name: "push" }, "a.b:1|c\nwait:100|ms\nnonsense\n");
    expect(out).toContain("a_b 1 <- a.b by no rule\nwait count 1 sum 0.1 <- wait by no rule\n");
    expect(out).toContain("not used: malformed_line: nonsense\n");
    expect(status).toBe(1);
  });

  test("shows what is left out of a page, and why", () => {
    const rules = [{ regex: "a", action: "labeldrop" }];
    const { out } = explain({ type: "prometheus", metricRelabelConfigs: rules }, 'm{a="1"} 1\nm{a="2"} 2\n');
    expect(out).toContain("# prometheus: 1 series\nm 1 <- as it was scraped\nleft out (duplicate): m\n");
  });

  test("shows where a document does not have what a metric wants", () => {
    const metrics = [
      { name: "a", path: "{.a}" },
      { name: "b", path: "{.b}" },
    ];
    const { out } = explain({ type: "json", metrics }, '{"a": 1}');
    expect(out).toBe("# json: 1 series\na 1 <- {.a}\nnot used: b: expected something at {.b}, got nothing\n");
  });

  test("shows which expression a log line fits, and which lines fit none", () => {
    const metrics = [{ name: "errors_total", match: "error (\\d+)", labels: { code: "$1" } }];
    const { out } = explain({ type: "log", files: ["/var/log/app.log"], metrics }, "error 5\nall well\n");
    expect(out).toBe('# log: 1 series\nerrors_total{code="5"} 1 <- error (\\d+)\nnot used: all well\n');
  });

  test("says which pattern of a log's metrics cannot be used", () => {
    const metrics = [{ name: "errors_total", match: "error (" }];
    const { status, err } = explain({ type: "log", files: ["/var/log/app.log"], metrics }, "");
    expect(status).toBe(2);
    expect(err).toContain("metrics.0.match: expected a pattern that can be used");
  });

  test("wants to know of which source, by a name that there is", () => {
    expect(explain({ type: "redis" }, "", ["--source", "nope"])).toMatchObject({
      status: 1,
      err: expect.stringContaining("--source: expected one of redis, got nope"),
    });
  });
});
