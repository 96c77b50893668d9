// Load by wrk: requests for random paths over kept-alive connections, as many as the subject answers.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { parseReport } from "../tls/wrk.ts";
import type { WrkReport } from "../tls/wrk.ts";

const execute = promisify(execFile);

/** Runs wrk with one thread. Throws if there was no answer, or any error: a broken answer is not a fast one. */
export async function runLoad(port: number, connections: number, seconds: number): Promise<WrkReport> {
  const script = join(import.meta.dirname, "random-paths.lua");
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}`,
    "--timeout",
    "10",
    "-s",
    script,
    `http://127.0.0.1:${port}/`,
  ];
  const { stdout } = await execute("wrk", args);
  const report = parseReport(stdout);
  if (report.requests === 0 || report.errors > 0) {
    throw new Error(`wrk: expected answers only, got ${report.requests} answers and ${report.errors} errors`);
  }
  return report;
}
