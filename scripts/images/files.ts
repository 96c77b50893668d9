// What an image adds to its base, in a folder of its own: the bundle, a link to the runtime, what is in it, its licence.
// `node scripts/images/files.ts <container> --runtime PATH --output FOLDER` makes it, in a Dockerfile too.
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { bundle } from "../bundle.ts";
import { containerFolder, containerNames } from "../containers.ts";
import { root } from "../tools.ts";
import { sbomOf } from "./sbom.ts";

/** Where the base images have their runtimes: distroless Node, and the distroless image of Bun. */
export const RUNTIME_PATHS = { node: "/nodejs/bin/node", bun: "/usr/local/bin/bun" } as const;
export type RuntimeName = keyof typeof RUNTIME_PATHS;

/** Bundles the container and writes the files of its image; `runtime` is a path in the base. */
export async function writeImageFiles(name: string, { output, runtime }: { output: string; runtime: string }) {
  const folder = join(output, "outrigger");
  rmSync(output, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(await bundle(containerFolder(name)), join(folder, "main.mjs"));
  symlinkSync(runtime, join(folder, "runtime"));
  writeFileSync(join(folder, "sbom.cdx.json"), `${JSON.stringify(sbomOf(name))}\n`);
  copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runtime: { type: "string", default: RUNTIME_PATHS.node },
      output: { type: "string", default: "dist/image" },
    },
  });
  const [name = ""] = positionals;
  if (!containerNames().includes(name))
    throw new Error(`expected one of ${containerNames().join(", ")}, got ${name || "nothing"}`);
  await writeImageFiles(name, { runtime: values.runtime, output: resolve(values.output) });
}
