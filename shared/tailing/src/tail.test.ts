// One file that is followed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { tempDir } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createLineSink } from "./sink.ts";
import { openSource } from "./source.ts";
import { createTail } from "./tail.ts";
import { numbered } from "./test-folder.ts";

test("what a file has been compressed to is known for its copy before anything of the file has been read", async () => {
  const folder = tempDir(cleanup);
  writeFileSync(join(folder, "a.log"), numbered(0, 100));
  writeFileSync(join(folder, "a.log.1.gz"), gzipSync(numbered(0, 100)));
  writeFileSync(join(folder, "a.log.2.gz"), gzipSync(numbered(1, 100)));
  const settings = {
    input: "in",
    sinkAt: () => createLineSink(() => undefined),
    restarted: () => undefined,
    isEnding: () => false,
    restOf: async function* () {},
    laterCopies: async function* () {},
  };
  const tail = await createTail("a.log", await openSource(join(folder, "a.log")), settings);
  for (const [name, isCopy] of [
    ["a.log.1.gz", true],
    ["a.log.2.gz", false],
  ] as const) {
    const source = await openSource(join(folder, name));
    expect(await tail.isCopiedBy(source), name).toBe(isCopy);
    await source.close();
  }
  await tail.close();
});
