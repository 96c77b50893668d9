// What is measured side by side: our ambassador on each runtime, and nginx. All have the same shards in the same ring.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { findProgram, versionOf } from "../programs.ts";

export type Place = { readonly folder: string; readonly port: number; readonly shards: readonly number[] };

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

/** Writes a configuration of nginx, with what stands for its places; gives the command. */
export function nginxCommand(template: string, folder: string, places: Readonly<Record<string, string>>): string[] {
  const text = readFileSync(join(import.meta.dirname, template), "utf8");
  const file = join(folder, template);
  writeFileSync(
    file,
    text.replaceAll(/\{\{(\w+)\}\}/g, (_, place: string) => ({ folder, ...places })[place] ?? ""),
  );
  return [findProgram("nginx")!, "-p", folder, "-e", join(folder, `${template}.log`), "-c", file];
}

function ours(name: string, runtime: string): Subject {
  return {
    name,
    missing: existsSync(bundle) ? undefined : "skipped: containers/shard-ambassador/dist/main.mjs is not built",
    version: () => versionOf([runtime, "--version"], /[\d.]+/),
    command: ({ port, shards }) => [
      runtime,
      bundle,
      "--protocol=http",
      `--listen=127.0.0.1:${port}`,
      "--admin-listen=127.0.0.1:0",
      `--shards=${shards.map((shard) => `127.0.0.1:${shard}`).join(",")}`,
      "--distribution=nginx",
      "--key=uri",
    ],
  };
}

const nginx: Subject = {
  name: "nginx",
  missing: findProgram("nginx") === undefined ? "skipped: nginx is not installed" : undefined,
  version: () => versionOf([findProgram("nginx")!, "-v"], /[\d.]+/),
  command: ({ folder, port, shards }) =>
    nginxCommand("nginx.conf", folder, {
      port: String(port),
      servers: shards.map((shard) => `    server 127.0.0.1:${shard};`).join("\n"),
    }),
};

export const SUBJECTS: readonly Subject[] = [
  ours("ours-node", join(root, "node_modules/.bin/node")),
  ours("ours-bun", join(root, "node_modules/.bin/bun")),
  nginx,
];
