// What readers see of revisions that come one after the other, and what is left when the publisher is killed.
import { spawn } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { runtimePath, tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

const program = fileURLToPath(new URL("../test/publish-forever.ts", import.meta.url));
const FILES = ["file-0", "folder-1/file-1", "file-2"];

type Publisher = { readonly lines: () => string[]; readonly ended: Promise<unknown>; kill(): void };

function startPublisher(folder: string, ...args: string[]): Publisher {
  const child = spawn(runtimePath("node"), [program, folder, "3", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  cleanup(() => void child.kill("SIGKILL"));
  let out = "";
  child.stdout.on("data", (text) => (out += String(text)));
  const ended = new Promise((resolve) => void child.once("close", resolve));
  return { lines: () => out.split("\n").slice(0, -1), ended, kill: () => void child.kill("SIGKILL") };
}

/** The number that all lines of a file have; -1 if they are not all the same, or not all there. */
function numberIn(text: string): number {
  const number = Number(text.split("\n", 1)[0]);
  return text === `${number}\n`.repeat(500 + (number % 7) * 300) ? number : -1;
}

test("100 000 reads during 1 000 publications see no torn file and no mix of two revisions", async () => {
  const folder = tempDir(cleanup);
  const publisher = startPublisher(folder, "atomic", "1000");
  const over = new AbortController();
  void publisher.ended.then(() => over.abort());
  // The names in the folder itself follow the first revision: a reader that comes before them finds none.
  await waitForLines(publisher, 2);
  let reads = 0;
  let last = 0;
  const seen = new Set<number>();
  while (!over.signal.aborted || reads < 100_000) {
    for (let i = 0; i < 100; i++) {
      // As a reader does who wants all files of one revision: by the folder that is live when it begins.
      const live = join(folder, readlinkSync(join(folder, "..data")));
      const numbers = readAll(live);
      // Only one that is six publications behind finds its folder gone.
      if (numbers === undefined) continue;
      reads += numbers.length + 1;
      const through = numberIn(readFileSync(join(folder, "file-0"), "utf8"));
      expect(new Set(numbers).size).toBe(1);
      expect(numbers[0]).toBeGreaterThanOrEqual(last);
      expect(through).toBeGreaterThanOrEqual(numbers[0]!);
      last = numbers[0]!;
      seen.add(last);
    }
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(last).toBe(1000);
  expect(seen.size).toBeGreaterThan(100);
}, 300_000);

function readAll(live: string): number[] | undefined {
  try {
    return FILES.map((name) => numberIn(readFileSync(join(live, name), "utf8")));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOENT");
    return undefined;
  }
}

test.each([
  ["200", "atomic"],
  ["30", "flat"],
])(
  "killed at %s random moments, the %s publisher leaves whole files, and the next one goes on",
  async (rounds, layout) => {
    const folder = tempDir(cleanup);
    let last = 0;
    for (let round = 0; round < Number(rounds); round++) {
      const publisher = startPublisher(folder, layout);
      await Promise.race([waitForLines(publisher, 2), publisher.ended]);
      const delay = Math.random() * 15;
      await new Promise((resolve) => void setTimeout(resolve, delay));
      publisher.kill();
      await publisher.ended;
      const lines = publisher.lines();
      // What was live before it began is what the last one had left.
      expect(Number(lines[0]!.split(" ")[1])).toBeGreaterThanOrEqual(last);
      const published = Number(lines.at(-1)!.split(" ")[1]);
      const numbers = FILES.map((name) => numberIn(readFileSync(join(folder, "..data", name), "utf8")));
      expect(new Set(numbers).size).toBe(1);
      expect([published, published + 1]).toContain(numbers[0]);
      for (const name of FILES) expect(numberIn(readFileSync(join(folder, name), "utf8"))).toBeGreaterThan(0);
      last = numbers[0]!;
    }
    expect(last).toBeGreaterThan(Number(rounds));
  },
  300_000,
);

async function waitForLines({ lines }: Publisher, count: number): Promise<void> {
  while (lines().length < count) await new Promise((resolve) => void setImmediate(resolve));
}
