import { startApp, startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { askTarget, watchTarget } from "./target-health.ts";
import type { Verdict } from "./target-health.ts";

test("a connection is enough without a path", async () => {
  const app = await startRawServer(() => undefined, { cleanup });
  expect(await askTarget({ host: "127.0.0.1", port: app.port }, undefined, 1000)).toBeUndefined();
  await app.close();
  expect(await askTarget({ host: "127.0.0.1", port: app.port }, undefined, 1000)).toBe("ECONNREFUSED");
});

test.each([
  [200, undefined],
  [204, undefined],
  [302, undefined],
  [404, "/ping answered 404"],
  [503, "/ping answered 503"],
])("status %d on the path is %s", async (status, verdict) => {
  const app = await startApp((_, response) => response.writeHead(status).end(), { cleanup });
  expect(await askTarget({ host: "127.0.0.1", port: app.port }, "/ping", 1000)).toBe(verdict);
});

test("an application that accepts and says nothing is not good for a path", async () => {
  const app = await startRawServer(() => undefined, { cleanup });
  expect(await askTarget({ host: "127.0.0.1", port: app.port }, "/ping", 100)).toBe("/ping did not answer in time");
});

test("a watch asks again and again until it is stopped", async () => {
  const answers: Verdict[] = ["down", undefined, "down"];
  const reports: Verdict[] = [];
  const watch = watchTarget(
    async () => answers.shift(),
    5,
    (verdict) => reports.push(verdict),
  );
  await until(() => reports.length >= 4);
  watch.stop();
  expect(reports.slice(0, 3)).toEqual(["down", undefined, "down"]);
});
