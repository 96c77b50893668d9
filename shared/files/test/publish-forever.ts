// A program of its own that publishes one revision after the other in the folder named by its first argument, until it is
// killed: each has as many files as the second argument says, and in each of them stands the number of the revision.
// It begins with the number after the one that is live, and writes a line for each that it has published.
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
// oxlint-disable-next-line no-restricted-imports -- this is a whole program
import { argv } from "node:process";

import { openRevisions } from "../src/revisions.ts";

const [folder = "", count = "3", layout = "atomic", last = "Infinity"] = argv.slice(2);
const revisions = await openRevisions(folder, {
  layout: layout as "atomic" | "flat",
  fileMode: 0o644,
  folderMode: 0o755,
  maxFiles: 100,
  maxBytes: 10_000_000,
});
const live = await revisions.live();
const before =
  live === undefined ? 0 : Number(readFileSync(join(folder, live.folder, "file-0"), "utf8").split("\n")[0]);
writeSync(1, `live ${before}\n`);
for (let number = before + 1; number <= Number(last); number++) {
  // A size of its own for each, so that a file that is half old and half new shows.
  const content = Buffer.from(`${number}\n`.repeat(500 + (number % 7) * 300));
  const names = Array.from({ length: Number(count) }, (_, i) => (i % 2 === 0 ? `file-${i}` : `folder-${i}/file-${i}`));
  await revisions.activate(await revisions.stage(new Map(names.map((name) => [name, { content }]))));
  await revisions.prune(5);
  writeSync(1, `published ${number}\n`);
}
