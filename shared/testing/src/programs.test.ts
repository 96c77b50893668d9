import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test, vi } from "vitest";

import { tempDir } from "./cleanup.ts";
import { findProgram, requirePrograms, runtimePath } from "./programs.ts";

/** A folder on PATH with these programs, for the length of the test. */
function putOnPath(...names: string[]): string {
  const folder = tempDir(onTestFinished);
  for (const name of names) {
    writeFileSync(join(folder, name), "#!/bin/sh\n");
    chmodSync(join(folder, name), 0o755);
  }
  setVariable("PATH", folder);
  return folder;
}

function setVariable(name: string, value: string): void {
  vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test("a program is found on PATH if it is executable", () => {
  const folder = putOnPath("outrigger-server");
  writeFileSync(join(folder, "outrigger-notes"), "no program");
  expect(findProgram("outrigger-server")).toBe(join(folder, "outrigger-server"));
  expect(findProgram("outrigger-notes")).toBeUndefined();
});

test("a suite whose programs are all there runs under its own title", () => {
  const folder = putOnPath("outrigger-server");
  const programs = requirePrograms("outrigger-server");
  expect(programs).toMatchObject({ skip: false, reason: "" });
  expect(programs.title("behind it")).toBe("behind it");
  expect(programs.path("outrigger-server")).toBe(join(folder, "outrigger-server"));
});

test("a suite with a missing program is skipped under a title that names it", () => {
  putOnPath("outrigger-server");
  setVariable("OUTRIGGER_REQUIRE_ALL", "");
  const programs = requirePrograms("outrigger-server", "outrigger-missing");
  expect(programs.skip).toBe(true);
  expect(programs.title("behind it")).toBe("behind it (needs outrigger-missing: run scripts/install-test-programs)");
  expect(() => programs.path("outrigger-missing")).toThrow("outrigger-missing: expected one of");
});

test("where all programs have to be there, a missing one is an error", () => {
  setVariable("OUTRIGGER_REQUIRE_ALL", "1");
  expect(() => requirePrograms("outrigger-missing")).toThrow("this suite needs outrigger-missing");
});

test("runtimes come from the repository, and an unknown one is refused", () => {
  expect(runtimePath("bun")).toMatch(/node_modules\/\.bin\/bun$/);
  expect(() => runtimePath("deno")).toThrow("runtime deno: expected a program at");
});
