import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import type { Address } from "@outrigger/options";
import { rawExchange, request, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { captureLog } from "../test/log.ts";
import { startDemo } from "../test/started.ts";
import type { Started } from "../test/started.ts";
import { ADMIN_ROUTES, endpointsMarkdown } from "./admin-routes.ts";
import { createAdminServer } from "./admin.ts";
import { createLiveness } from "./liveness.ts";
import { createReadiness } from "./readiness.ts";

const portOf = ({ admin }: Started): number => ("port" in admin ? admin.port : 0);
const post = { method: "POST" } as const;

async function refusals({ ask }: Started, reason: string): Promise<number> {
  const { body } = await ask("/metrics");
  return Number(
    new RegExp(`^outrigger_admin_requests_refused_total\\{reason="${reason}"\\} (\\d+)$`, "m").exec(body)![1],
  );
}

test("the probes answer, and say why not", async () => {
  const { ask, stop } = await startDemo({ args: ["--drain-delay", "300ms"], cleanup });
  expect((await ask("/livez")).json()).toEqual({ live: true, stalled: [] });
  expect((await ask("/startupz")).json()).toEqual({ started: true });
  expect((await ask("/readyz")).json()).toMatchObject({ ready: true, conditions: [{ name: "started", ok: true }] });
  const stopped = stop();
  const draining = await ask("/readyz");
  expect(draining.status).toBe(503);
  expect(draining.json()).toMatchObject({ ready: false, conditions: [{}, { name: "not draining", ok: false }] });
  expect((await ask("/livez")).status).toBe(200);
  await stopped;
});

test("liveness fails and names the loop when one has stalled, and heals with its next turn", async () => {
  let now = 0;
  const liveness = createLiveness(() => now);
  const turn = liveness.watch("loop", 1000);
  const server = await createAdminServer(
    {
      name: "demo",
      version: "1.2.3",
      summary: "A demonstration",
      isStarted: () => true,
      readiness: createReadiness(captureLog().log, () => undefined),
      liveness,
      metricsText: async () => ({ contentType: "text/plain", text: "" }),
      status: () => ({}),
      reload: async () => ({ outcome: "unchanged" }),
      shutdown: () => undefined,
      refused: () => undefined,
      routes: {},
      answerer: () => undefined,
    },
    { token: undefined, unixSocket: false },
  );
  cleanup(async () => void (await server.close()));
  const live = async () => {
    const { statusCode, body } = await server.inject("/livez");
    return [statusCode, JSON.parse(body)];
  };
  expect(await live()).toEqual([200, { live: true, stalled: [] }]);
  now = 5001;
  expect(await live()).toEqual([503, { live: false, stalled: ["loop"] }]);
  turn();
  expect(await live()).toEqual([200, { live: true, stalled: [] }]);
});

test("version, status and metrics tell of this container", async () => {
  const { ask } = await startDemo({ args: ["--source", "here"], cleanup });
  expect((await ask("/version")).json()).toMatchObject({ name: "demo", version: "1.2.3" });
  expect((await ask("/api/v1/status")).json()).toMatchObject({
    name: "demo",
    state: "running",
    ready: true,
    lastReload: null,
    source: "here",
  });
  const metrics = await ask("/metrics");
  expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(metrics.body).toContain("\ndemo_turns_total ");
  expect(metrics.body).toContain("\noutrigger_ready 1\n");
});

test("/openapi.json describes every route of the table, and there are no others", async () => {
  const { ask } = await startDemo({ cleanup });
  const { openapi, paths, info } = (await ask("/openapi.json")).json() as {
    openapi: string;
    info: object;
    paths: Record<string, Record<string, { summary: string; responses: object }>>;
  };
  expect(openapi).toBe("3.1.0");
  expect(info).toMatchObject({ title: "demo", version: "1.2.3" });
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [`${method.toUpperCase()} ${path}`, summary]),
  );
  expect(Object.fromEntries(described)).toEqual(ADMIN_ROUTES);
  for (const route of Object.keys(ADMIN_ROUTES)) expect(endpointsMarkdown()).toContain(`| \`${route}\` | `);
  expect((await ask("/no/such/path")).status).toBe(404);
  expect((await ask("/livez", post)).status).toBe(404);
});

test("a reload answers 200 with its outcome, or 409 with the reasons", async () => {
  const problems: string[] = [];
  const reread = async () => ({ values: {}, problems });
  const { ask } = await startDemo({ settings: { reread }, cleanup });
  const applied = await ask("/api/v1/reload", post);
  expect(applied.status).toBe(200);
  expect(applied.json()).toEqual({ outcome: "applied" });
  problems.push("--source: expected a path, got nothing");
  const refused = await ask("/api/v1/reload", post);
  expect(refused.status).toBe(409);
  expect(refused.json()).toEqual({ outcome: "refused", reasons: problems });
  expect((await ask("/api/v1/status")).json()).toMatchObject({ lastReload: { outcome: "refused" } });
});

test("a shutdown answers 202, and the container stops", async () => {
  const { ask, stopped } = await startDemo({ cleanup });
  const answer = await ask("/api/v1/shutdown", post);
  expect(answer.status).toBe(202);
  expect(answer.json()).toEqual({ state: "draining" });
  expect(await stopped).toEqual({ finished: true });
  await expect(ask("/livez")).rejects.toThrow("ECONNREFUSED");
});

describe("with a token", () => {
  const withToken = async (token: string): Promise<Started> => {
    const file = join(tempDir(cleanup), "token");
    writeFileSync(file, `${token}\n`);
    return startDemo({ args: ["--admin-token-file", file], cleanup });
  };
  const carrying = (authorization: string) => ({ method: "POST", headers: { authorization } }) as const;

  test("changing requests need exactly it, on loopback too", async () => {
    const started = await withToken("s3cret-token");
    const wrong = [
      "",
      "Bearer",
      "Bearer ",
      "Bearer s3cret-tokem",
      "Bearer s3cret-token2",
      "Basic s3cret-token",
      "s3cret-token",
    ];
    expect((await started.ask("/api/v1/reload", post)).status).toBe(401);
    for (const authorization of wrong) {
      const { status, body } = await started.ask("/api/v1/reload", carrying(authorization));
      expect.soft(status, authorization).toBe(401);
      expect.soft(body).not.toContain("s3cret");
    }
    expect((await started.ask("/api/v1/reload", carrying("Bearer s3cret-token"))).status).toBe(200);
    expect((await started.ask("/readyz")).status).toBe(200);
    expect(await refusals(started, "bad_token")).toBe(wrong.length + 1);
  });

  test("a token of any characters is compared byte by byte", async () => {
    const started = await withToken("gehëim");
    const bytes = Buffer.from("Bearer gehëim").toString("latin1");
    expect((await started.ask("/api/v1/reload", carrying(bytes))).status).toBe(200);
  });
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

describe.skipIf(outside === undefined)("from another address than loopback", () => {
  const everywhere = async (...args: string[]): Promise<Started & { address: Address; port: number }> => {
    const started = await startDemo({ args: ["--admin-listen", "0.0.0.0:0", ...args], cleanup });
    const port = portOf(started);
    return { ...started, port, address: { host: outside!, port } };
  };

  test("changing requests are refused and counted, and everything else is answered", async () => {
    const started = await everywhere();
    for (const path of ["/api/v1/reload", "/api/v1/shutdown"]) {
      const { status, body } = await request(started.address, path, post);
      expect.soft(status).toBe(403);
      expect.soft(body).toContain("--admin-token-file");
    }
    expect((await request(started.address, "/readyz")).status).toBe(200);
    expect(await refusals(started, "not_loopback")).toBe(2);
    expect((await request({ host: "127.0.0.1", port: started.port }, "/api/v1/reload", post)).status).toBe(200);
  });

  test("a token is enough", async () => {
    const file = join(tempDir(cleanup), "token");
    writeFileSync(file, "s3cret");
    const { address } = await everywhere("--admin-token-file", file);
    const headers = { authorization: "Bearer s3cret" };
    expect((await request(address, "/api/v1/reload", { ...post, headers })).status).toBe(200);
  });

  test("a claim to be forwarded for a loopback address is no address", async () => {
    const { address } = await everywhere();
    const headers = { "x-forwarded-for": "127.0.0.1", forwarded: "for=127.0.0.1", "x-real-ip": "127.0.0.1" };
    expect((await request(address, "/api/v1/reload", { ...post, headers })).status).toBe(403);
  });

  test("one who asks and is gone before the answer is refused all the same", async () => {
    const started = await everywhere();
    const before = await refusals(started, "not_loopback");
    for (let i = 1; i <= 5; i++) {
      const socket = connect({ host: outside!, port: started.port });
      await new Promise<void>((resolve) => void socket.once("connect", resolve));
      // Both reach the server's machine before its event loop turns: it reads from a connection that has been reset.
      socket.write("POST /api/v1/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
      socket.resetAndDestroy();
      await until(async () => (await refusals(started, "not_loopback")) === before + i);
    }
    expect((await started.ask("/api/v1/status")).json()).toMatchObject({ lastReload: null });
  });
});

describe("on a Unix socket", () => {
  test("everything is answered, changing requests too, and nothing is left of the socket", async () => {
    const path = join(tempDir(cleanup), "admin.sock");
    const { ask, admin, stop } = await startDemo({ args: ["--admin-listen", `unix:${path}`] });
    expect(admin).toEqual({ path });
    expect((await ask("/readyz")).status).toBe(200);
    expect((await ask("/api/v1/reload", post)).status).toBe(200);
    await stop();
    expect(existsSync(path)).toBe(false);
  });

  test("the socket of a predecessor that crashed is replaced", async () => {
    const path = join(tempDir(cleanup), "admin.sock");
    const predecessor = createServer().listen(path);
    await new Promise<void>((resolve) => void predecessor.once("listening", resolve));
    cleanup(() => void predecessor.close());
    const { ask } = await startDemo({ args: ["--admin-listen", `unix:${path}`], cleanup });
    expect((await ask("/readyz")).status).toBe(200);
  });

  test("any other file in its place is left alone", async () => {
    const path = join(tempDir(cleanup), "precious");
    writeFileSync(path, "content");
    await expect(startDemo({ args: ["--admin-listen", `unix:${path}`] })).rejects.toThrow(
      `--admin-listen: expected a free address, got unix:${path} (EADDRINUSE)`,
    );
    expect(readFileSync(path, "utf8")).toBe("content");
  });
});

test("huge and malformed requests are refused, and the next one is answered", async () => {
  const started = await startDemo({ cleanup });
  const exchange = (send: string) => rawExchange({ port: portOf(started), send, timeoutMs: 5000 });
  const statusOf = async (send: string): Promise<string | undefined> =>
    /^HTTP\/1\.1 (\d{3})/.exec((await exchange(send)).text)?.[1];
  const head = "Host: a\r\nConnection: close\r\n";
  expect(await statusOf(`GET /${"x".repeat(100_000)} HTTP/1.1\r\n${head}\r\n`)).toBe("431");
  expect(await statusOf(`GET / HTTP/1.1\r\n${head}X-Long: ${"x".repeat(100_000)}\r\n\r\n`)).toBe("431");
  expect(await statusOf("\0\u0001\u0002 nonsense\r\n\r\n")).toBe("400");
  expect(await statusOf(`GET /%zz HTTP/1.1\r\n${head}\r\n`)).toBe("400");
  const json = `${head}Content-Type: application/json\r\n`;
  expect(await statusOf(`POST /api/v1/reload HTTP/1.1\r\n${json}Content-Length: 1000000\r\n\r\n`)).toBe("413");
  expect(await statusOf(`POST /api/v1/reload HTTP/1.1\r\n${json}Content-Length: 5\r\n\r\n{"a":`)).toBe("400");
  expect((await started.ask("/api/v1/status")).json()).toMatchObject({ ready: true, lastReload: null });
});
