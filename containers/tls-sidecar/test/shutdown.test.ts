// The end of the sidecar: asked to stop, it loses nothing.
import { startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startLoad } from "./load.ts";
import { startSidecar, visit } from "./sidecar.ts";

test.each([
  ["1 worker", "1"],
  ["2 workers", "2"],
])("SIGTERM under load loses no request, with %s", async (_, workers) => {
  const app = await startApp((_, response) => void setTimeout(() => response.end("hello"), 5), { cleanup });
  const sidecar = await startSidecar({
    target: app.address,
    args: ["--drain-delay", "300ms", "--workers", workers],
    cleanup,
  });
  const load = startLoad(sidecar, { clients: 16, perConnection: 1000 });
  await until(() => load.answered() > 100);
  const exit = sidecar.stop();
  await load.ended;
  const { lost, answered } = await load.stop();
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(lost).toBe(0);
  expect(answered).toBeGreaterThan(100);
});

test("a request in flight is finished, and readiness is given up first", async () => {
  let release: (() => void) | undefined;
  const app = await startApp((_, response) => void (release = () => response.end("late")), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const late = visit(sidecar);
  await until(() => release !== undefined);
  const exit = sidecar.stop();
  await sidecar.waitForLog("draining");
  expect((await sidecar.admin("/readyz")).status).toBe(503);
  expect((await sidecar.admin("/livez")).status).toBe(200);
  release!();
  expect((await late).text).toContain("late");
  expect(await exit).toEqual({ code: 0, signal: null });
});

test("a request that does not end is cut at --shutdown-timeout, and the exit status says so", async () => {
  const app = await startApp(() => undefined, { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--shutdown-timeout", "300ms"], cleanup });
  const never = visit(sidecar);
  await until(() => app.requests === 1);
  expect(await sidecar.stop()).toEqual({ code: 1, signal: null });
  expect((await never).admitted).toBe(false);
});

test("idle connections do not hold up the end", async () => {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--shutdown-timeout", "10s"], cleanup });
  const load = startLoad(sidecar, { clients: 2, perConnection: 1 });
  await until(() => load.answered() > 2);
  await load.stop();
  expect(await sidecar.stop({ timeoutMs: 5000 })).toEqual({ code: 0, signal: null });
});
