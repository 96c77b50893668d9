import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { readBounded } from "./index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-bounded-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a file of up to the bound is read whole, through links too", async () => {
  for (const size of [0, 1, 65_536, 200_000]) {
    const file = join(folder, `of-${size}`);
    const content = Buffer.alloc(size, "x");
    writeFileSync(file, content);
    symlinkSync(file, `${file}-link`);
    expect(await readBounded(`${file}-link`, size)).toEqual(content);
    expect(await readBounded(file, 1_000_000)).toEqual(content);
  }
});

test("a larger file is refused with both sizes", async () => {
  const file = join(folder, "large");
  writeFileSync(file, "12345");
  await expect(readBounded(file, 4)).rejects.toThrow(`${file}: expected at most 4 bytes, got 5`);
});

test("a file that turns out longer than it said is refused once the bound is passed", async () => {
  // Files of /proc say that they hold nothing, and hold more: the same as one that grows after the look.
  await expect(readBounded("/proc/self/status", 16)).rejects.toThrow(
    "/proc/self/status: expected at most 16 bytes, got more",
  );
  expect((await readBounded("/proc/self/status", 65_536)).toString()).toMatch(/^Name:/);
});

test("what is not a regular file is refused at once, and a FIFO without waiting for its writer", async () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const socket = join(folder, "socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    for (const [path, kind] of [
      [folder, "a directory"],
      [fifo, "a FIFO"],
      [socket, "a socket"],
      ["/dev/zero", "a device"],
    ] as const) {
      await expect(readBounded(path, 10)).rejects.toThrow(`${path}: expected a regular file, got ${kind}`);
    }
  } finally {
    server.close();
  }
});

test("a missing file keeps the system's own error code", async () => {
  await expect(readBounded(join(folder, "none"), 10)).rejects.toMatchObject({ code: "ENOENT" });
});
