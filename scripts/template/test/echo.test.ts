// The container from outside: it answers with what it was asked, within its bounds, and ends in good order.
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { parseAddress } from "@outrigger/options";
import type { Container } from "@outrigger/testing";
import { request, spawnContainer, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

type Echo = Container & { readonly port: number };

/** Starts the container on free ports, and waits until it listens. */
async function startEcho(...args: string[]): Promise<Echo> {
  const quick = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
  const container = spawnContainer({ name: "new-container", args: [...quick, ...args], cleanup });
  const { port } = parseAddress(await container.address("http"), "127.0.0.1") as { port: number };
  await container.waitForLog("started");
  return Object.assign(container, { port });
}

/** A request whose body is not complete until `finish` is called. */
function begin({ port }: Echo): { finish(): void; answer: Promise<{ status: number | undefined; text: string }> } {
  const pending = httpRequest({ host: "127.0.0.1", port, method: "POST" });
  pending.write("begun ");
  const answer = new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    pending.once("error", reject);
    pending.once("response", async (response) => {
      resolve({ status: response.statusCode, text: await text(response) });
    });
  });
  return { finish: () => void pending.end("ended"), answer };
}

const at = ({ port }: Echo) => ({ host: "127.0.0.1", port });
const active = async (echo: Echo): Promise<number> => (await echo.metrics()).value("new_container_requests_active")!;

test("a request is answered with what it asked, and counted", async () => {
  const echo = await startEcho();
  const answer = await request(at(echo), "/path?a=1", { method: "POST", body: "hello" });
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({ method: "POST", path: "/path", query: { a: "1" }, body: "hello" });
  expect((await echo.metrics()).value("new_container_requests_total", { status: "2xx" })).toBe(1);
});

test("a body that is too large is 413, and one that does not come is 408", async () => {
  const echo = await startEcho("--max-body-size", "10", "--request-timeout", "100ms");
  expect((await request(at(echo), "/", { method: "POST", body: "12345678901" })).status).toBe(413);
  expect((await begin(echo).answer).status).toBe(408);
  const metrics = await echo.metrics();
  expect(metrics.value("new_container_requests_refused_total", { reason: "body_too_large" })).toBe(1);
  expect(metrics.value("new_container_requests_refused_total", { reason: "body_timeout" })).toBe(1);
});

test("more requests than may be in flight are 503", async () => {
  const echo = await startEcho("--max-requests", "1");
  const first = begin(echo);
  await until(async () => (await active(echo)) === 1);
  expect((await request(at(echo), "/")).status).toBe(503);
  first.finish();
  expect((await first.answer).status).toBe(200);
});

test("a missing file makes it not ready, and says which", async () => {
  const file = join(tempDir(cleanup), "not-there");
  const echo = await startEcho("--require-file", file);
  const ready = await echo.admin("/readyz");
  expect(ready.status).toBe(503);
  expect(ready.body).toContain(`${file} is missing`);
});

test("a request in flight is finished when it is asked to end", async () => {
  const echo = await startEcho();
  const late = begin(echo);
  await until(async () => (await active(echo)) === 1);
  const exit = echo.stop();
  await echo.waitForLog("draining");
  late.finish();
  expect((await late.answer).text).toContain("begun ended");
  expect(await exit).toEqual({ code: 0, signal: null });
});

test("an address that is taken ends it with status 1 and says so", async () => {
  const first = await startEcho();
  const second = spawnContainer({
    name: "new-container",
    args: ["--listen", `127.0.0.1:${first.port}`, "--admin-listen", "127.0.0.1:0"],
    cleanup,
  });
  const { code, stderr } = await second.exited;
  expect(code).toBe(1);
  expect(stderr).toContain(`--listen: expected a free address, got 127.0.0.1:${first.port} (EADDRINUSE)`);
});
