// What is measured side by side: our ambassador on each runtime, and twemproxy. All have the same shards in the same ring.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram, versionOf } from "../programs.ts";

export type Place = {
  readonly folder: string;
  readonly port: number;
  /** Another one, for what tells statistics. */
  readonly statistics: number;
  readonly shards: readonly number[];
};

export type Subject = {
  readonly name: string;
  /** Why it cannot be measured here; undefined if it can. */
  readonly missing: string | undefined;
  version(): string;
  /** The command that runs it in the foreground; writes its configuration on the way. */
  command(place: Place): string[];
};

const root = join(import.meta.dirname, "../../..");
const bundle = join(root, "containers/shard-ambassador/dist/main.mjs");

function ours(name: string, runtime: string): Subject {
  return {
    name,
    missing: existsSync(bundle) ? undefined : "skipped: containers/shard-ambassador/dist/main.mjs is not built",
    version: () => versionOf([runtime, "--version"], /[\d.]+/),
    command: ({ port, shards }) => [
      runtime,
      bundle,
      `--listen=127.0.0.1:${port}`,
      "--admin-listen=127.0.0.1:0",
      `--shards=${shards.map((shard, i) => `127.0.0.1:${shard} shard-${i}`).join(",")}`,
      "--distribution=ketama",
      "--hash=murmur",
      "--hash-tag=none",
    ],
  };
}

function twemproxy(): Subject {
  const path = findProgram("nutcracker");
  return {
    name: "nutcracker",
    missing: path === undefined ? "skipped: nutcracker is not installed" : undefined,
    version: () => versionOf([path!, "--version"], /[\d.]+/),
    command: ({ folder, port, statistics, shards }) => {
      const file = join(folder, "nutcracker.yml");
      const keys = [`listen: 127.0.0.1:${port}`, "hash: murmur", "distribution: ketama", "redis: true", "servers:"];
      const servers = shards.map((shard, i) => ` - 127.0.0.1:${shard}:1 shard-${i}`);
      writeFileSync(file, `${["pool:", ...[...keys, ...servers].map((line) => `  ${line}`)].join("\n")}\n`);
      return [path!, "-c", file, "-s", String(statistics), "-a", "127.0.0.1"];
    },
  };
}

export const SUBJECTS: readonly Subject[] = [
  ours("ours-node", join(root, "node_modules/.bin/node")),
  ours("ours-bun", join(root, "node_modules/.bin/bun")),
  twemproxy(),
];
