// Saturating load with wrk: as many keep-alive requests as the subject answers.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export type WrkLoad = {
  readonly url: string;
  readonly connections: number;
  /** wrk takes whole seconds only. */
  readonly seconds: number;
  /** The OpenSSL configuration that fixes what wrk offers in its handshakes. */
  readonly opensslConfig: string;
};

export type WrkReport = {
  readonly requests: number;
  readonly bytes: number;
  readonly microseconds: number;
  readonly errors: number;
};

/** Reads the line of JSON that wrk-report.lua prints. */
export function parseReport(output: string): WrkReport {
  const line = /^\{"requests".*\}$/m.exec(output)?.[0];
  if (line === undefined) throw new Error(`wrk: expected a report, got ${output.trim().slice(-200)}`);
  return JSON.parse(line) as WrkReport;
}

/** Runs wrk with one thread. Throws if there was no answer, or any error: a broken answer is not a fast one. */
export async function runWrk(load: WrkLoad): Promise<WrkReport> {
  const script = join(import.meta.dirname, "wrk-report.lua");
  const args = ["-t1", `-c${load.connections}`, `-d${load.seconds}`, "--timeout", "10", "-s", script, load.url];
  const { stdout } = await execute("wrk", args, { env: { ...process.env, OPENSSL_CONF: load.opensslConfig } });
  const report = parseReport(stdout);
  if (report.requests === 0 || report.errors > 0) {
    throw new Error(`wrk: expected answers only, got ${report.requests} answers and ${report.errors} errors`);
  }
  return report;
}
