// The containers that the conformance tests run against: every folder under containers/, started with its own fixture.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { OptionTable } from "@outrigger/options";
import { parseAddress, prefixOf, spell } from "@outrigger/options";
import { tableOf } from "@outrigger/runtime";
import type { AnyContainer } from "@outrigger/runtime";
import type { Cleanup, Container } from "@outrigger/testing";
import { spawnContainer, until } from "@outrigger/testing";

import { containerFolder, containerNames } from "../../scripts/containers.ts";

/** What a container's `test/fixture.ts` gives. */
export type Fixture = {
  /** Flags, as `--name value` pairs, with which the container starts and becomes ready. */
  readonly args: readonly string[];
  /** What it depends on, if it depends on anything. */
  readonly dependency?: { fail(): Promise<void>; heal(): Promise<void> };
};

export type Subject = {
  readonly name: string;
  readonly container: AnyContainer;
  readonly table: OptionTable;
  readonly fixture: (cleanup: Cleanup) => Promise<Fixture>;
};

const load = <T>(...path: string[]): Promise<T> => import(pathToFileURL(join(...path)).href) as Promise<T>;

/** All containers, with their definitions. */
export const subjects: readonly Subject[] = await Promise.all(
  containerNames().map(async (name) => {
    const folder = containerFolder(name);
    const { container } = await load<{ container: AnyContainer }>(folder, "src", "container.ts");
    const { fixture } = await load<Pick<Subject, "fixture">>(folder, "test", "fixture.ts");
    return { name, container, table: tableOf(container), fixture };
  }),
);

/** Flags that every test starts with: free ports and no waiting. */
const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];

export type Started = Container & { readonly fixture: Fixture };

/** Starts a container with its fixture and waits until it is ready. */
export async function start(subject: Subject, cleanup: Cleanup, args: readonly string[] = []): Promise<Started> {
  const fixture = await subject.fixture(cleanup);
  const container = spawnContainer({ name: subject.name, args: [...QUICK, ...fixture.args, ...args], cleanup });
  await container.waitForLog("started");
  await until(async () => (await container.admin("/readyz")).status === 200, {
    describe: `${subject.name} to be ready`,
  });
  return Object.assign(container, { fixture });
}

/** The addresses of all listeners but the admin server's. */
export const listenersOf = (container: Container): { host: string; port: number }[] =>
  container
    .logs()
    .filter((record) => record.msg === "listening" && record["listener"] !== "admin")
    .map((record) => parseAddress(String(record["address"]), "127.0.0.1"))
    .filter((address) => address !== undefined && "port" in address) as { host: string; port: number }[];

/** The fixture's flags as `property: text`, so that a test can write them as variables or as a file. */
export function settingsOf(subject: Subject, args: readonly string[]): Map<string, string> {
  const byFlag = new Map(
    Object.entries(subject.table).map(([property, { kind }]) => [spell(property, kind, "").flag, property]),
  );
  const settings = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) settings.set(byFlag.get(args[i]!)!, args[i + 1]!);
  return settings;
}

/** Every option that has a default, as text; the fixture's values where it sets them. */
export function allSettings(subject: Subject, args: readonly string[]): Map<string, string> {
  const settings = settingsOf(subject, args);
  for (const [property, { default: fallback, kind }] of Object.entries(subject.table)) {
    if (fallback !== undefined && !settings.has(property) && kind.fileOnly !== true) settings.set(property, fallback);
  }
  return settings;
}

export const asFlags = (subject: Subject, settings: ReadonlyMap<string, string>): string[] =>
  [...settings].map(([property, text]) => `${spelling(subject, property).flag}=${text}`);

export const asVariables = (subject: Subject, settings: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...settings].map(([property, text]) => [spelling(subject, property).variable, text]));

export const asFile = (subject: Subject, settings: ReadonlyMap<string, string>): string =>
  JSON.stringify(
    Object.fromEntries([...settings].map(([property, text]) => [spelling(subject, property).property, text])),
  );

export const spelling = (subject: Subject, property: string) =>
  spell(property, subject.table[property]!.kind, prefixOf(subject.name));
