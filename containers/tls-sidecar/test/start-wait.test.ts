// Before the application is there, and after: when clients are accepted, and by how many threads.
import { availableParallelism } from "node:os";

import { spawnContainer, startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFiles, startSidecar, visit } from "./sidecar.ts";

test("with --start-wait clients are accepted only once the application has answered", async () => {
  const files = await createFiles(cleanup);
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const { address } = app;
  await app.close();
  const common = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
  const sidecar = spawnContainer({
    name: "tls-sidecar",
    args: [
      ...common,
      "--cert",
      files.cert,
      "--key",
      files.key,
      "--target",
      address,
      "--target-interval",
      "100ms",
      "--start-wait",
    ],
    cleanup,
  });
  await sidecar.waitForLog("started");
  expect((await sidecar.admin("/startupz")).status).toBe(200);
  expect((await sidecar.admin("/readyz")).status).toBe(503);
  expect(await (await sidecar.admin("/api/v1/status")).json()).toMatchObject({ listen: null });
  const again = await startApp((_, response) => response.end("hello"), {
    cleanup,
    port: Number(address.split(":")[1]),
  });
  cleanup(() => again.close());
  const port = Number((await sidecar.address("tls")).split(":").at(-1));
  await until(async () => (await sidecar.admin("/readyz")).status === 200);
  expect((await visit(Object.assign(sidecar, { files, port }))).text).toContain("hello");
});

test("--workers auto has as many threads as the process may use", async () => {
  const app = await startApp((_, response) => response.end("hello"), { cleanup });
  const sidecar = await startSidecar({ target: app.address, args: ["--workers", "auto"], cleanup });
  for (let i = 0; i < 2 * availableParallelism(); i++) expect((await visit(sidecar)).text).toContain("hello");
  const answer = (await (await sidecar.admin("/api/v1/certificates")).json()) as { certificates: object[] };
  expect(answer.certificates).toEqual([
    expect.objectContaining({
      file: sidecar.files.cert,
      subject: "CN=localhost",
      names: ["DNS:localhost", "IP Address:127.0.0.1"],
    }),
  ]);
});
