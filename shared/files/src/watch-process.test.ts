// The watch in a process of its own: on each runtime, with and without events to be had, and that it ends by itself.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { beforeEach, describe, expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "..", "test", "watch-three-swaps.ts");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "watch-process-"));
  return () => rmSync(folder, { recursive: true });
});

async function run(command: string, ...args: string[]) {
  const { stdout, stderr } = await promisify(execFile)(command, args, { timeout: 15_000 });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { mode: string; modes: string[]; seen: string[] };
}

/** Limits that a process without privileges can set for itself alone: those of a user namespace of its own. */
const hasNamespaces = spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0;
const withLimit = (limit: string) => [
  "--user",
  "--map-root-user",
  "sh",
  "-c",
  `echo 0 > /proc/sys/user/${limit} && exec "$@"`,
  "sh",
];

describe.each(["node", "bun"])("on %s", (runtime) => {
  test("three swaps of a Kubernetes volume are seen by events, and the process ends once the watch is closed", async () => {
    expect(await run(runtime, PROGRAM, folder)).toEqual({
      mode: "events",
      modes: ["events"],
      seen: ["1", "2", "3"],
    });
  });

  test.skipIf(!hasNamespaces).each([
    ["max_inotify_instances", "EMFILE"],
    ["max_inotify_watches", "ENOSPC"],
  ])("with %s used up (%s) the swaps are seen by polling, which is said once", async (limit, code) => {
    const outcome = await run("unshare", ...withLimit(limit), runtime, PROGRAM, folder);
    expect(outcome).toMatchObject({ mode: "poll", seen: ["1", "2", "3"] });
    expect(outcome.modes).toEqual([expect.stringMatching(`^poll: ${code}`)]);
  });

  test("without a file descriptor to spare at the start the swaps are seen by polling, which is said once", async () => {
    const outcome = await run("sh", "-c", 'ulimit -n 100 && exec "$@"', "sh", runtime, PROGRAM, folder, "starve");
    expect(outcome).toMatchObject({ mode: "poll" });
    expect(outcome.seen.at(-1)).toBe("3");
    expect(outcome.modes).toEqual([expect.stringMatching(/^poll: EMFILE/)]);
  });
});
