// What the charts know of each container: its chart entry, beside what its definition says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { prefixOf } from "@outrigger/options";
import type { AnyContainer } from "@outrigger/runtime";
import { parse } from "yaml";

import { root } from "../tools.ts";

/** A port that an option opens. Without a default it is open only if the option is given. */
type Port = {
  readonly name: string;
  readonly option: string;
  readonly default?: string;
  /** Other defaults: the first whose `if` holds, and none of whose `unless` is given, is taken. */
  readonly cases?: readonly {
    readonly if: Readonly<Record<string, unknown>>;
    readonly unless?: readonly string[];
    readonly default: string;
  }[];
};

export type Entry = {
  /** Where it stands among the native sidecars: low ones start first and are stopped last. By default by its pattern. */
  readonly order?: number;
  /** Whether it can run to its end as an init container. */
  readonly once?: boolean;
  readonly rereadsConfig?: boolean;
  readonly startupPath?: string;
  readonly startupFailures?: number;
  readonly nativeOptions?: Readonly<Record<string, unknown>>;
  /** Options that are not offered as values. */
  readonly without?: readonly string[];
  readonly metricsPort?: string;
  readonly ports?: readonly Port[];
};

/** How the values call a container: `tls-sidecar` is `tlsSidecar`. */
export const keyOf = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** An empty one for a container that has none. */
export function readEntry(name: string, repository = root): Entry {
  const file = join(repository, "charts/entries", `${name}.yaml`);
  return existsSync(file) ? (parse(readFileSync(file, "utf8")) as Entry) : {};
}

/** Ambassadors come before the containers that speak through them, adapters see the last of all others. */
const ORDER = { ambassador: 20, sidecar: 30, adapter: 40 } as const;

/** What the example pods ask for, with which the tests of pods run them. */
const RESOURCES = { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } };

/** What the templates are given of a container. */
export function aboutContainer(container: AnyContainer, repository = root): Record<string, unknown> {
  const entry = readEntry(container.name, repository);
  const { order, once, rereadsConfig, startupPath, startupFailures, nativeOptions, metricsPort, ports } = entry;
  return {
    name: container.name,
    version: container.version,
    prefix: prefixOf(container.name),
    order: order ?? ORDER[container.pattern],
    once: once === true,
    rereadsConfig: rereadsConfig === true,
    startupPath: startupPath ?? "/startupz",
    startupFailures: startupFailures ?? 30,
    nativeOptions: nativeOptions ?? {},
    metricsPort: metricsPort ?? "",
    ports: [...(ports ?? []), { name: "admin", option: "adminListen", default: `0.0.0.0:${container.adminPort}` }],
    resources: RESOURCES,
  };
}
