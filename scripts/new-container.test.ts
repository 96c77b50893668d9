import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { repository, tempDir } from "@outrigger/testing";
import { expect, onTestFinished, test } from "vitest";

import { adminPortFor, nameProblem } from "./new-container.ts";

test.each(["", "Echo", "1st", "two--hyphens", "-echo", "echo-", "a/b", "../up", "x".repeat(41)])(
  "%j cannot be the name of a container",
  (name) => {
    expect(nameProblem(name, repository)).toMatch(/^name: expected words of lower-case letters and digits/);
  },
);

test("a name that is taken is refused, and a free one is not", () => {
  expect(nameProblem("tls-sidecar", repository)).toBe("name: expected one that is free, got tls-sidecar");
  expect(nameProblem("spare-echo2", repository)).toBeUndefined();
});

test("admin ports count on from those that are reserved, and a reserved name has its own", () => {
  expect(adminPortFor("spare-echo", [9910])).toBe(9915);
  expect(adminPortFor("spare-echo", [9910, 9915, 9916])).toBe(9917);
  expect(adminPortFor("log-adapter", [9910, 9915])).toBe(9913);
});

const COPIED = ["charts", "containers", "shared", "scripts", "test"];
const SKIPPED = /\/(node_modules|dist|\.turbo)$/;

/** The workspace with sources of its own, and the packages of this one. */
function workspaceCopy(): string {
  const folder = tempDir(onTestFinished);
  for (const entry of readdirSync(repository, { withFileTypes: true })) {
    if (entry.isFile() && entry.name !== ".git") cpSync(join(repository, entry.name), join(folder, entry.name));
  }
  for (const part of COPIED) {
    cpSync(join(repository, part), join(folder, part), { recursive: true, filter: (path) => !SKIPPED.test(path) });
  }
  mkdirSync(join(folder, "node_modules", "@outrigger"), { recursive: true });
  for (const entry of readdirSync(join(repository, "node_modules"))) {
    if (entry !== "@outrigger") {
      symlinkSync(join(repository, "node_modules", entry), join(folder, "node_modules", entry));
    }
  }
  for (const library of readdirSync(join(folder, "shared"))) {
    symlinkSync(join(folder, "shared", library), join(folder, "node_modules", "@outrigger", library));
  }
  return folder;
}

test("a new container generates, type-checks, lints, and passes its own and the conformance tests", () => {
  const folder = workspaceCopy();
  const run = (program: string, ...args: string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync(join(folder, "node_modules", ".bin", program), args, {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: `${join(folder, "node_modules", ".bin")}:${process.env["PATH"]}`, HOME: process.env["HOME"] ?? "/" },
    });
    return { status, output: stdout + stderr };
  };
  const passes = (program: string, ...args: string[]): string => {
    const { status, output } = run(program, ...args);
    expect(status, output).toBe(0);
    return output;
  };
  expect(passes("node", "scripts/new.ts", "spare-echo")).toContain("npm run generate");
  expect(run("node", "scripts/new.ts", "spare-echo")).toMatchObject({ status: 2 });
  passes("node", "scripts/generate.ts");
  expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(/^\| .*spare-echo.* \| 9915 \|$/m);
  passes("tsc", "-p", "tsconfig.json");
  passes("oxlint", "--deny-warnings", "containers");
  passes("oxfmt", "--check", "containers");
  const tests = ["run", "--no-color", "--project", "unit", "--project", "node"];
  expect(passes("vitest", ...tests, "containers/spare-echo")).toMatch(/Tests +9 passed/);
  if (existsSync(join(folder, "test", "conformance"))) {
    passes("vitest", ...tests, "test/conformance", "-t", "spare-echo");
  }
}, 240_000);
