// What `npm run generate` runs: writes the generated files. With `--check` it writes nothing, names each stale file, and
// fails if there is one.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { generateFiles, staleFiles } from "./generated-files.ts";
import { root } from "./tools.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const generated = await generateFiles(root);
for (const problem of generated.problems) console.error(problem);
if (generated.problems.length > 0) process.exit(1);

const stale = staleFiles(generated, root);
for (const { path, text } of stale) {
  if (values.check) console.error(`${path}: stale`);
  else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`${path}: written`);
  }
}
if (stale.length === 0) console.log(`${generated.files.length} generated files are as their sources say`);
else if (values.check) {
  console.error("run npm run generate, and commit what it changes");
  process.exitCode = 1;
}
