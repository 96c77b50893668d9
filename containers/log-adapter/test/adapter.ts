// The log adapter under test, following files in a folder.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup, Container } from "@outrigger/testing";
import { spawnContainer, tempDir } from "@outrigger/testing";

export type OtelRecord = {
  readonly Timestamp?: string;
  readonly SeverityText?: string;
  readonly SeverityNumber: number;
  readonly Body: string;
  readonly Attributes: Readonly<Record<string, unknown>>;
};

export const parseRecords = (text: string): OtelRecord[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as OtelRecord);

const QUICK = [
  "--admin-listen",
  "127.0.0.1:0",
  "--drain-delay",
  "0",
  "--poll-interval",
  "20ms",
  "--multiline-timeout",
  "50ms",
];

export type Folder = {
  /** A path in the folder. */
  at(name: string): string;
  start(args?: readonly string[]): Container;
  records(): OtelRecord[];
  bodies(): string[];
};

/** A folder whose `*.log` the adapter follows. */
export function createFolder(cleanup: Cleanup): Folder {
  const folder = tempDir(cleanup);
  const at = (name: string): string => join(folder, name);
  const records = (): OtelRecord[] => {
    if (!existsSync(at("records.json"))) return [];
    const text = readFileSync(at("records.json"), "utf8");
    return parseRecords(text.slice(0, text.lastIndexOf("\n") + 1));
  };
  return {
    at,
    records,
    bodies: () => records().map(({ Body }) => Body),
    start: (args = []) =>
      spawnContainer({
        name: "log-adapter",
        args: [
          ...QUICK,
          "--input",
          `file:${folder}/*.log`,
          "--output",
          `file:${at("records.json")}`,
          "--state-dir",
          at("state"),
          ...args,
        ],
        cleanup,
      }),
  };
}
