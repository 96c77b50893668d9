// Makes a new container from the template, which is a whole container itself but for its names and its admin port.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { format } from "oxfmt";
import type { FormatConfig } from "oxfmt";

import { containerFolder, containerNames, loadContainer } from "./containers.ts";

/** Admin ports that are spoken for, by name; later containers count on from there. */
const ADMIN_PORTS: Readonly<Record<string, number>> = {
  "tls-sidecar": 9910,
  "shard-ambassador": 9911,
  "metrics-adapter": 9912,
  "log-adapter": 9913,
  "config-sync": 9914,
};
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** A name has to do as a DNS label, and within the names of pods that have more to say. */
const MAX_NAME = 40;

/** Why a container cannot have this name; undefined if it can. */
export function nameProblem(name: string, repository: string): string | undefined {
  if (!NAME.test(name) || name.length > MAX_NAME) {
    return `name: expected words of lower-case letters and digits with hyphens between them, up to ${MAX_NAME} characters, got ${name || "nothing"}`;
  }
  if (existsSync(containerFolder(name, repository))) return `name: expected one that is free, got ${name}`;
  return undefined;
}

/** The port that is reserved for the name, or else the first one after all that are reserved or used. */
export function adminPortFor(name: string, used: readonly number[]): number {
  const reserved = Object.hasOwn(ADMIN_PORTS, name) ? ADMIN_PORTS[name] : undefined;
  return reserved ?? Math.max(...Object.values(ADMIN_PORTS), ...used) + 1;
}

/** Copies the template of the repository to `containers/<name>`; returns the paths of the files. */
export async function createContainer(name: string, repository: string): Promise<string[]> {
  const containers = await Promise.all(containerNames(repository).map((other) => loadContainer(other, repository)));
  const port = adminPortFor(
    name,
    containers.map(({ adminPort }) => adminPort),
  );
  const template = join(repository, "scripts", "template");
  const settings = JSON.parse(readFileSync(join(repository, ".oxfmtrc.json"), "utf8")) as FormatConfig;
  const created: string[] = [];
  for (const entry of readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(containerFolder(name, repository), source.slice(template.length));
    const text = renamed(readFileSync(source, "utf8"), name, port);
    mkdirSync(dirname(target), { recursive: true });
    // Names of another length may change where lines break.
    writeFileSync(target, target.endsWith(".md") ? text : (await format(target, text, settings)).code);
    created.push(target);
  }
  return created.sort();
}

const renamed = (text: string, name: string, port: number): string =>
  text
    .replaceAll("new-container", name)
    .replaceAll("new_container", name.replaceAll("-", "_"))
    .replaceAll("NEW_CONTAINER", name.replaceAll("-", "_").toUpperCase())
    .replaceAll("9999", String(port));
