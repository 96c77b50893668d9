// The containers of the repository, found by folder: nobody keeps a list.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { root } from "./tools.ts";

/** Names of all containers, sorted. */
export const containerNames = (): string[] =>
  readdirSync(join(root, "containers"))
    .filter((name) => existsSync(join(root, "containers", name, "src", "container.ts")))
    .sort();

/** The folder of a container. */
export const containerFolder = (name: string): string => join(root, "containers", name);
