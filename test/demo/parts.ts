// The parts of the demo, found by folder: nobody keeps a list.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Part } from "./part.ts";

const here = import.meta.dirname;

/** All parts, in the order of their names. */
export async function loadParts(): Promise<Part[]> {
  const files = readdirSync(here)
    .sort()
    .map((name) => join(here, name, "part.ts"))
    .filter((file) => existsSync(file));
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(file).href) as Promise<{ part: Part }>));
  return modules.map(({ part }) => part);
}
