// Bundles the container in the current folder into dist/main.mjs: one file that plain `node` or `bun` runs, and the only
// file that its image adds to the base. `dist/meta.json` says what went into it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

/** Bundles the container in `folder`; returns the path of the bundle. */
export async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, "dist", "main.mjs");
  const result = await build({
    entryPoints: [join(folder, "src", "main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node26",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    // CommonJS dependencies inside an ES module still call require() for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(folder, "dist", "meta.json"), JSON.stringify(result.metafile));
  return outfile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.cwd());
