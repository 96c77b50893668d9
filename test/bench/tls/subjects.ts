// What is measured side by side: our container on each runtime and in each mode, and its peers.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { findProgram, versionOf } from "../programs.ts";
import type { Certificate } from "./certificate.ts";
import { CIPHER } from "./client.ts";
import { writeTemplate } from "./template.ts";

export type Place = Certificate & { readonly folder: string; readonly port: number; readonly backend: number };

export type Subject = {
  readonly name: string;
  readonly mode: "http" | "tcp";
  /** Why it cannot be measured here; undefined if it can. */
  readonly missing: string | undefined;
  version(): string;
  /** The command that runs it in the foreground; writes its configuration on the way. */
  command(place: Place): string[];
};

const root = join(import.meta.dirname, "../../..");
const bundle = join(root, "containers/tls-sidecar/dist/main.mjs");
const bun = join(root, "node_modules/.bin/bun");

function ours(name: string, runtime: string, mode: "http" | "tcp"): Subject {
  return {
    name,
    mode,
    missing: existsSync(bundle) ? undefined : "skipped: containers/tls-sidecar/dist/main.mjs is not built",
    version: () => versionOf([runtime, "--version"], /[\d.]+/),
    command: ({ port, backend, certificate, key }) => [
      runtime,
      bundle,
      `--listen=127.0.0.1:${port}`,
      `--target=127.0.0.1:${backend}`,
      `--cert=${certificate}`,
      `--key=${key}`,
      "--admin-listen=127.0.0.1:0",
      "--no-access-log",
      ...(mode === "tcp" ? ["--mode=tcp"] : []),
    ],
  };
}

type Packaged = {
  readonly name: string;
  readonly mode: "http" | "tcp";
  readonly program: string;
  readonly version: readonly [argument: string, pattern: RegExp];
  readonly config: string;
  /** What stands before the path of the configuration. */
  readonly args: (folder: string) => readonly string[];
};

// hitch refuses to work as root, and can give up root for another user only if it has it.
const user = process.getuid?.() === 0 ? 'user = "nobody"' : "";

function packaged({ name, mode, program, version, config, args }: Packaged): Subject {
  const path = findProgram(program);
  return {
    name,
    mode,
    missing: path === undefined ? `skipped: ${program} is not installed` : undefined,
    version: () => versionOf([program, version[0]], version[1]),
    command: (place) => {
      const file = writeTemplate(config, `${name}.conf`, place.folder, { ...place, cipher: CIPHER, user });
      return [path!, ...args(place.folder), file];
    },
  };
}

const haproxy = { program: "haproxy", version: ["-v", /version (\S+)/], args: () => ["-db", "-q", "-f"] } as const;

export const SUBJECTS: readonly Subject[] = [
  ours("ours-node", process.execPath, "http"),
  ours("ours-bun", bun, "http"),
  packaged({
    name: "nginx",
    mode: "http",
    program: "nginx",
    version: ["-v", /nginx\/(\S+)/],
    config: "nginx.conf",
    args: (folder) => ["-e", "stderr", "-p", folder, "-c"],
  }),
  packaged({ ...haproxy, name: "haproxy", mode: "http", config: "haproxy-http.cfg" }),
  {
    name: "http-proxy",
    mode: "http",
    missing: undefined,
    version: () => `1.18.1 on Node ${process.versions.node}`,
    command: ({ port, backend, certificate, key }) => {
      const script = join(import.meta.dirname, "http-proxy.mjs");
      return [process.execPath, script, String(port), String(backend), certificate, key, CIPHER];
    },
  },
  ours("ours-node-tcp", process.execPath, "tcp"),
  ours("ours-bun-tcp", bun, "tcp"),
  packaged({ ...haproxy, name: "haproxy-tcp", mode: "tcp", config: "haproxy-tcp.cfg" }),
  packaged({
    name: "hitch",
    mode: "tcp",
    program: "hitch",
    version: ["-V", /hitch (\S+)/],
    config: "hitch.conf",
    args: () => ["--config"],
  }),
  packaged({
    name: "stunnel4",
    mode: "tcp",
    program: "stunnel4",
    version: ["-version", /stunnel (\S+) on/],
    config: "stunnel.conf",
    args: () => [],
  }),
];
