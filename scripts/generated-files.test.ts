import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { repository, tempDir } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { generateFiles, staleFiles } from "./generated-files.ts";

/** A repository with one container, whose folder is a copy, and with everything generated. */
async function repositoryCopy(): Promise<string> {
  const folder = tempDir(onTestFinished);
  mkdirSync(join(folder, "containers"));
  const container = join("containers", "tls-sidecar");
  for (const path of [container, "charts"]) cpSync(join(repository, path), join(folder, path), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  for (const file of ["README.md", ".oxfmtrc.json", "package.json"]) cpSync(join(repository, file), join(folder, file));
  // The root README speaks of all containers, the copy has one.
  for (const { path, text } of staleFiles(await generateFiles(folder), folder)) writeFileSync(join(folder, path), text);
  return folder;
}

test("every generated file of the repository is as its sources say (npm run generate makes it so)", async () => {
  const generated = await generateFiles(repository);
  expect(generated.problems).toEqual([]);
  expect(staleFiles(generated, repository).map(({ path }) => path)).toEqual([]);
});

test("a table that was edited by hand is stale, and generating makes it as it was", async () => {
  const folder = await repositoryCopy();
  const readme = join(folder, "containers", "tls-sidecar", "README.md");
  const before = readFileSync(readme, "utf8");
  writeFileSync(readme, before.replace("`0.0.0.0:8443`", "`0.0.0.0:443`"));
  const stale = staleFiles(await generateFiles(folder), folder);
  expect(stale.map(({ path }) => path)).toEqual(["containers/tls-sidecar/README.md"]);
  expect(stale[0]!.text).toBe(before);
});

test("an example that has changed makes the README that shows it stale", async () => {
  const folder = await repositoryCopy();
  const example = join(folder, "containers", "tls-sidecar", "examples", "pod.yaml");
  writeFileSync(example, `${readFileSync(example, "utf8")}# more\n`);
  const stale = staleFiles(await generateFiles(folder), folder);
  expect(stale.map(({ path }) => path)).toEqual([
    "containers/tls-sidecar/README.md",
    "containers/tls-sidecar/examples/pod.plain.yaml",
  ]);
  expect(stale[0]!.text).toContain("# more\n```");
});

test("a README without markers is told what to add, and a missing one that it is missing", async () => {
  const folder = await repositoryCopy();
  writeFileSync(join(folder, "containers", "tls-sidecar", "README.md"), "# tls-sidecar\n");
  writeFileSync(join(folder, "README.md"), "# Outrigger\n");
  const { problems } = await generateFiles(folder);
  expect(problems).toHaveLength(8);
  expect(problems).toContain(
    "containers/tls-sidecar/README.md: expected the lines <!-- generated: options --> and <!-- /generated -->, got neither: add them where it belongs",
  );
  expect(problems[0]).toMatch(/^README\.md: expected the lines <!-- generated: containers --> /);
});
