// The containers of the repository, found by folder: nobody keeps a list.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { AnyContainer } from "@outrigger/runtime";

import { root } from "./tools.ts";

/** Names of all containers, sorted. */
export const containerNames = (repository = root): string[] =>
  readdirSync(join(repository, "containers"))
    .filter((name) => existsSync(join(repository, "containers", name, "src", "container.ts")))
    .sort();

/** The folder of a container. */
export const containerFolder = (name: string, repository = root): string => join(repository, "containers", name);

/** The definition of a container. It is a value: importing it does nothing. */
export async function loadContainer(name: string, repository = root): Promise<AnyContainer> {
  const file = join(containerFolder(name, repository), "src", "container.ts");
  const { container } = (await import(pathToFileURL(file).href)) as { container: AnyContainer };
  return container;
}
