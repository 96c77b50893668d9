import { join } from "node:path";

import { repository, spawnContainer } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

const entry = join(repository, "shared", "runtime", "test", "threaded.ts");
const args = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];

test.each(["node", "bun"])("on %s a thread gets its data, answers, and its numbers are added", async (runtime) => {
  const container = spawnContainer({ entry, args, runtime, cleanup });
  const answer = await container.waitForLog("thread answered");
  expect(answer["message"]).toEqual({ greeting: "hello" });
  expect((await container.metrics()).value("threaded_works_total")).toBe(1);
  expect(await container.stop()).toEqual({ code: 0, signal: null });
});

test.each(["node", "bun"])("on %s what a thread has recorded is written before it is ended", async (runtime) => {
  const container = spawnContainer({ entry, args, runtime, cleanup });
  await container.waitForLog("thread answered");
  expect(await container.stop()).toEqual({ code: 0, signal: null });
  const recorded = container.logs().filter(({ msg }) => msg === "work");
  expect(recorded).toMatchObject([{ level: "info", container: "threaded", work: "last work" }]);
  expect(container.logs().at(-1)).toMatchObject({ msg: "stopped", finished: true });
});
