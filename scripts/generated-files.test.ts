import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { repository, tempDir } from "@outrigger/testing";
import { expect, onTestFinished, test, vi } from "vitest";

import { containerNames } from "./containers.ts";
import { generateFiles, staleFiles } from "./generated-files.ts";

// Charts are rendered by Helm, a process each.
vi.setConfig({ testTimeout: 60_000 });

/** A repository in which the folder of one container is a copy, and the others are links. */
function repositoryCopy(): string {
  const folder = tempDir(onTestFinished);
  mkdirSync(join(folder, "containers"));
  const container = join("containers", "tls-sidecar");
  for (const path of [container, "charts"]) cpSync(join(repository, path), join(folder, path), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  for (const name of containerNames(repository).filter((other) => !container.endsWith(other)))
    symlinkSync(join(repository, "containers", name), join(folder, "containers", name));
  for (const file of ["README.md", ".oxfmtrc.json", "package.json"]) cpSync(join(repository, file), join(folder, file));
  return folder;
}

test("every generated file of the repository is as its sources say (npm run generate makes it so)", async () => {
  const generated = await generateFiles(repository);
  expect(generated.problems).toEqual([]);
  expect(staleFiles(generated, repository).map(({ path }) => path)).toEqual([]);
});

test("a table that was edited by hand is stale, and generating makes it as it was", async () => {
  const folder = repositoryCopy();
  const readme = join(folder, "containers", "tls-sidecar", "README.md");
  const before = readFileSync(readme, "utf8");
  writeFileSync(readme, before.replace("`0.0.0.0:8443`", "`0.0.0.0:443`"));
  const stale = staleFiles(await generateFiles(folder), folder);
  expect(stale.map(({ path }) => path)).toEqual(["containers/tls-sidecar/README.md"]);
  expect(stale[0]!.text).toBe(before);
});

test("an example that has changed makes the README that shows it stale", async () => {
  const folder = repositoryCopy();
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
  const folder = repositoryCopy();
  writeFileSync(join(folder, "containers", "tls-sidecar", "README.md"), "# tls-sidecar\n");
  writeFileSync(join(folder, "README.md"), "# Outrigger\n");
  const { problems } = await generateFiles(folder);
  expect(problems).toHaveLength(8);
  expect(problems).toContain(
    "containers/tls-sidecar/README.md: expected the lines <!-- generated: options --> and <!-- /generated -->, got neither: add them where it belongs",
  );
  expect(problems[0]).toMatch(/^README\.md: expected the lines <!-- generated: containers --> /);
});
