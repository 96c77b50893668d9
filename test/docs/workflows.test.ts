// The workflows of the repository's host: nothing that others can change is run, and no container is forgotten.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { repository } from "@outrigger/testing";
import { expect, test } from "vitest";
import { parse } from "yaml";

import { containerNames } from "../../scripts/containers.ts";

const folder = join(repository, ".github", "workflows");
const files = readdirSync(folder);

type Workflow = {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
        readonly strategy?: { readonly matrix: { readonly container: readonly string[] } };
      }
    >
  >;
};

const read = (file: string): Workflow => parse(readFileSync(join(folder, file), "utf8")) as Workflow;

test.each(files)("%s uses actions by their commits only, and may only read unless a job says more", (file) => {
  const { permissions, jobs } = read(file);
  expect(permissions).toEqual({ contents: "read" });
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const actions = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  expect(actions.length).toBeGreaterThan(0);
  for (const action of actions) expect.soft(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
});

test("what continuous integration runs is .ci/run", () => {
  const { steps } = read("ci.yml").jobs["test"]!;
  expect(steps.some(({ run }) => run?.includes("bash .ci/run") === true)).toBe(true);
});

test("a release has all containers", () => {
  expect(read("release.yml").jobs["images"]!.strategy!.matrix.container).toEqual(containerNames());
});
