// `npm run images`: builds the images of all containers, or of those that are named.
import { parseArgs } from "node:util";

import { containerNames } from "../containers.ts";
import type { BaseName } from "./bases.ts";
import { buildImages, imagesOf } from "./build.ts";
import { ENGINES, findEngine } from "./engine.ts";
import { reportOf } from "./report.ts";

const USAGE = `Usage: npm run images -- [container ...] [--base node|bun|git]... [--offline-base] [--engine ${ENGINES.join("|")}] [--measure]

Builds an image of each container, outrigger/<name>:<version>, with whichever of ${ENGINES.join(", ")} works here.

  --base B        what the images stand on: node, bun (tags end in -bun), or git (config-sync with git and ssh, on Node;
                  its tag ends in -git); may be repeated [default: node and git]
  --offline-base  make the bases of this machine's files: the pinned runtimes, and Debian's libraries. No registry is asked
  --engine E      the program that builds
  --measure       build on node and bun, start each image, and write the table in README.md`;

const BASES: readonly BaseName[] = ["node", "bun", "git"];

function fail(message: string): never {
  console.error(`images: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      base: { type: "string", multiple: true, default: ["node", "git"] },
      "offline-base": { type: "boolean", default: false },
      engine: { type: "string" },
      measure: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const known = containerNames();
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) fail(`expected containers among ${known.join(", ")}, got ${unknown.join(", ")}`);
  const strange = values.base.filter((base) => !BASES.includes(base as BaseName));
  if (strange.length > 0) fail(`--base: expected ${BASES.join(", ")}, got ${strange.join(", ")}`);
  return { ...values, bases: values.base as BaseName[], containers: positionals.length > 0 ? positionals : known };
}

async function main(): Promise<void> {
  const { help, engine: wanted, "offline-base": offlineBase, measure, containers, bases } = readArguments();
  if (help) return console.log(USAGE);
  const engine = await findEngine(wanted);
  const images = await imagesOf(containers, measure ? ["node", "bun"] : bases);
  const progress = (tag: string): void => console.error(`building ${tag} with ${engine.name}`);
  const built = await buildImages(images, { engine, offlineBase, progress });
  console.log(reportOf(built));
  if (measure) {
    const { measureImages, writeTable } = await import("./measure.ts");
    writeTable(await measureImages(built, engine));
  }
}

try {
  await main();
} catch (error) {
  console.error(`images: ${(error as Error).message}`);
  process.exitCode = 1;
}
