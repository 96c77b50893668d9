// A container of the pod as a process: its bundle on one of the runtimes, its log lines made compact, its admin server.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import type { Answer, Cleanup, LogRecord, Metrics, RequestInit } from "@outrigger/testing";
import { parseMetrics, request, runtimePath } from "@outrigger/testing";

import { bundle } from "../../scripts/bundle.ts";
import { containerFolder } from "../../scripts/containers.ts";
import { compactLine, recordIn } from "./log-lines.ts";
import type { CompactLine } from "./log-lines.ts";
import type { Process } from "./process.ts";
import { startProcess } from "./process.ts";

export type ContainerSettings = {
  /** What its lines are shown under. */
  readonly label: string;
  readonly args: readonly string[];
  /** A record in few words, for records that this container alone writes; undefined for all others. */
  readonly compact?: (record: LogRecord) => string | undefined;
};

export type ContainerProcess = Process & {
  /** The port on which the listener of this name listens: waits until it does. */
  readonly portOf: (listener: string) => Promise<number>;
  /** Waits until it is ready for the first time. */
  readonly ready: () => Promise<void>;
  readonly admin: (path: string, init?: RequestInit) => Promise<Answer>;
  readonly metrics: () => Promise<Metrics>;
};

/**
 * Bundles a container into `folder`, and gives the path of the bundle. The one in the container's own `dist` is left
 * alone: somebody may be running it.
 */
export async function bundleInto(folder: string, name: string): Promise<string> {
  const own = join(folder, "bundles", name);
  mkdirSync(own, { recursive: true });
  symlinkSync(join(containerFolder(name), "src"), join(own, "src"));
  return bundle(own);
}

export function startContainer(
  entry: string,
  runtime: string,
  { label, args, compact, show, cleanup }: ContainerSettings & { show: (line: CompactLine) => void; cleanup: Cleanup },
): ContainerProcess {
  const onLine = (line: string): void => show(compactLine(line, compact));
  const process = startProcess({ label, program: runtimePath(runtime), args: [entry, ...args], onLine, cleanup });
  const portOf = (listener: string): Promise<number> =>
    process.waitForLine((line) => {
      const { msg, listener: name, address } = recordIn(line) ?? {};
      if (msg !== "listening" || name !== listener) return undefined;
      const parsed = parseAddress(String(address), "127.0.0.1");
      return parsed !== undefined && "port" in parsed ? parsed.port : undefined;
    });
  const adminPort = portOf("admin");
  // Whoever asks for it sees the failure.
  adminPort.catch(() => {});
  const admin = async (path: string, init?: RequestInit): Promise<Answer> =>
    request({ host: "127.0.0.1", port: await adminPort }, path, init);
  return {
    ...process,
    portOf,
    ready: async () => {
      await process.waitForLine((line) => {
        const { msg, ready } = recordIn(line) ?? {};
        return msg === "readiness changed" && ready === true ? true : undefined;
      });
    },
    admin,
    metrics: async () => parseMetrics((await admin("/metrics")).body),
  };
}
