// A container as its operator sees it: its bundle started as a process on one of the runtimes, with flags, variables,
// signals, JSON lines on stderr and the admin server.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";

import type { LogRecord } from "./child-output.ts";
import { createBoundedText, createLogRecords } from "./child-output.ts";
import type { Exit } from "./child-process.ts";
import { startChild } from "./child-process.ts";
import type { Cleanup } from "./cleanup.ts";
import type { Metrics } from "./metrics.ts";
import { parseMetrics } from "./metrics.ts";
import { repository, runtimePath } from "./programs.ts";
import type { Answer, RequestInit } from "./request.ts";
import { request } from "./request.ts";
import { until } from "./until.ts";

/** The container's folder under `containers/`, or the path of a program that behaves like one. */
export type ContainerSource = { readonly name: string } | { readonly entry: string };

export type ContainerOptions = ContainerSource & {
  readonly args?: readonly string[];
  /** All of the variables besides PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** `node` or `bun`. Default: what OUTRIGGER_RUNTIME says, or `node`. */
  readonly runtime?: string;
  /** Kills the process, if it is still running then. */
  readonly cleanup?: Cleanup;
};

export type ContainerExit = Exit & { readonly stdout: string; readonly stderr: string };

export type WaitOptions = {
  /** Look only at what came after this record. */
  readonly after?: LogRecord;
  /** Default: 10 000. */
  readonly timeoutMs?: number;
};

export type Container = {
  readonly pid: number;
  /** Where the listener of this name listens, as `host:port` or `unix:/path`: waits until it does. */
  readonly address: (listener: string) => Promise<string>;
  /** The log so far: the JSON lines of stderr, of which the oldest are forgotten after 20 000. */
  readonly logs: () => readonly LogRecord[];
  readonly rawStderr: () => string;
  readonly stdout: () => string;
  /** The first record with this message, or that fulfils the predicate. Fails at once when the process has ended. */
  readonly waitForLog: (match: string | ((record: LogRecord) => boolean), options?: WaitOptions) => Promise<LogRecord>;
  /** A request to the admin server. */
  readonly admin: (path: string, init?: RequestInit) => Promise<Answer>;
  readonly metrics: () => Promise<Metrics>;
  readonly signal: (name: NodeJS.Signals) => void;
  /** SIGTERM, and the way it ended; after `timeoutMs` (default: 15 000) it is killed, and that is an error. */
  readonly stop: (options?: { readonly timeoutMs?: number }) => Promise<Exit>;
  readonly exited: Promise<ContainerExit>;
};

function entryOf(source: ContainerSource): string {
  if ("entry" in source) return source.entry;
  const bundle = join(repository, "containers", source.name, "dist", "main.mjs");
  if (existsSync(bundle)) return bundle;
  throw new Error(`container ${source.name}: expected its bundle at ${bundle}, got no file; npm run build makes it`);
}

/** The end of a text that may be long, for error messages. */
const tail = (text: string): string => (text.length > 4000 ? `... ${text.slice(-4000)}` : text);

function launch(options: ContainerOptions) {
  const { args = [], env = {}, cwd, cleanup, runtime = process.env["OUTRIGGER_RUNTIME"] ?? "node" } = options;
  const stdout = createBoundedText();
  const stderr = createBoundedText();
  const records = createLogRecords();
  const child = startChild(runtimePath(runtime), [entryOf(options), ...args], {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(cleanup === undefined ? {} : { cleanup }),
    onStdout: stdout.append,
    onStderr: (text) => {
      stderr.append(text);
      records.append(text);
    },
  });
  const exited = child.exited.then((exit) => ({ ...exit, stdout: stdout.text(), stderr: stderr.text() }));
  exited.catch(() => {});
  return { child, stdout, stderr, records, exited };
}

type Launched = ReturnType<typeof launch>;

/** Waits for the process to end, and no longer than `timeoutMs`: then it is killed, and that is an error. */
async function endOf({ child, exited, stderr }: Launched, timeoutMs: number): Promise<ContainerExit> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.signal("SIGKILL");
      reject(
        new Error(`process ${child.pid}: expected it to end within ${timeoutMs} ms; stderr: ${tail(stderr.text())}`),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([exited, late]);
  } finally {
    clearTimeout(timer);
  }
}

function waitForLogOf({ records, stderr, exited }: Launched): Container["waitForLog"] {
  let ended = false;
  const end = (): void => void (ended = true);
  exited.then(end, end);
  return async (match, { after, timeoutMs = 10_000 } = {}) => {
    const matches = typeof match === "string" ? (record: LogRecord) => record.msg === match : match;
    const describe = `the log record ${typeof match === "string" ? JSON.stringify(match) : match.toString()}`;
    const outcome = await until(
      () => {
        const record = records.find(matches, after);
        return record === undefined && !ended ? undefined : { record };
      },
      { timeoutMs, describe },
    ).catch((error: Error) => {
      throw new Error(`${error.message}; stderr: ${tail(stderr.text())}`, { cause: error });
    });
    if (outcome.record !== undefined) return outcome.record;
    throw new Error(`the process ended before ${describe}; stderr: ${tail(stderr.text())}`);
  };
}

/** Starts a container. What it needs to be reachable (listeners on port 0, say) is in `args` and `env`. */
export function spawnContainer(options: ContainerOptions): Container {
  const launched = launch(options);
  const { child, stdout, stderr, records, exited } = launched;
  const waitForLog = waitForLogOf(launched);
  const address = async (listener: string): Promise<string> => {
    const record = await waitForLog((record) => record.msg === "listening" && record["listener"] === listener);
    return String(record["address"]);
  };
  const admin = async (path: string, init?: RequestInit): Promise<Answer> => {
    const text = await address("admin");
    const parsed = parseAddress(text, "127.0.0.1");
    if (parsed === undefined) throw new Error(`address of the admin server: expected host:port, got ${text}`);
    return request(parsed, path, init);
  };
  return {
    pid: child.pid,
    address,
    logs: records.all,
    rawStderr: stderr.text,
    stdout: stdout.text,
    waitForLog,
    admin,
    metrics: async () => parseMetrics((await admin("/metrics")).body),
    signal: child.signal,
    stop: async ({ timeoutMs = 15_000 } = {}) => {
      child.signal("SIGTERM");
      const { code, signal } = await endOf(launched, timeoutMs);
      return { code, signal };
    },
    exited,
  };
}

/** Runs a container to its end: `--help`, `--check-config`, wrong options. Killed after `timeoutMs` (default: 10 000). */
export function runContainer(options: ContainerOptions & { readonly timeoutMs?: number }): Promise<ContainerExit> {
  return endOf(launch(options), options.timeoutMs ?? 10_000);
}
