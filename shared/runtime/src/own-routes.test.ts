import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { request, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startDemo } from "../test/started.ts";
import type { Started } from "../test/started.ts";
import type { Answerer, Route } from "./container.ts";
import { withStatus } from "./container.ts";

const text = { type: "string" };

const routes: Record<string, Route> = {
  "/api/v1/find": {
    summary: "Finds",
    query: { key: "what to find" },
    optionalQuery: { from: "where to begin" },
    answer: { key: text, from: text },
    otherStatuses: { 404: "It is not there" },
  },
  "/api/v1/put": {
    summary: "Puts",
    method: "POST",
    query: {},
    maxBodyBytes: 1000,
    headers: ["x-name", "content-type"],
    answer: { body: text },
  },
  "/api/v1/hook": {
    summary: "Is told",
    method: "POST",
    query: {},
    authenticatesItself: true,
    headers: ["x-signature"],
    maxBodyBytes: 1000,
    answer: {},
    otherStatuses: { 401: "The signature is wrong" },
  },
  "/api/v1/go": { summary: "Goes", method: "POST", query: {}, answer: {} },
};

const answerers: Record<string, Answerer> = {
  "/api/v1/find": ({ key, from }) =>
    key === "gone" ? withStatus(404, { error: "gone" }) : { key, from: from ?? "its beginning" },
  "/api/v1/put": async (_, { body, headers }) => ({ body: body.toString("latin1"), headers }),
  "/api/v1/hook": (_, { headers, isPermitted }) =>
    headers["x-signature"] === "right" ? { isPermitted } : withStatus(401, { error: "no" }),
  "/api/v1/go": (_, { body }) => ({ bytes: body.length }),
};

const startRoutes = (...args: string[]): Promise<Started> =>
  startDemo({ args, cleanup, container: { routes, start: async () => ({ routes: answerers }) } });

test("a parameter is needed or may be left out, and an answer can have a status of its own", async () => {
  const { ask } = await startRoutes();
  expect((await ask("/api/v1/find?key=a")).json()).toEqual({ key: "a", from: "its beginning" });
  expect((await ask("/api/v1/find?key=a&from=b%20c&more=1")).json()).toEqual({ key: "a", from: "b c" });
  expect((await ask("/api/v1/find?from=b")).status).toBe(400);
  const gone = await ask("/api/v1/find?key=gone");
  expect([gone.status, gone.json()]).toEqual([404, { error: "gone" }]);
});

test("a body comes as it was sent, whatever its type, with the header fields that the route names and no others", async () => {
  const { ask } = await startRoutes();
  const bodies = { "application/json": "{ not json", "text/plain": "a\r\nb", "application/x-tar": "\0\u0001" };
  for (const [type, body] of Object.entries(bodies)) {
    const headers = { "content-type": type, "x-name": "n", "x-other": "o" };
    const answer = await ask("/api/v1/put", { method: "POST", headers, body });
    expect(answer.json()).toEqual({ body, headers: { "content-type": type, "x-name": "n" } });
  }
  expect((await ask("/api/v1/put", { method: "POST" })).json()).toEqual({ body: "", headers: {} });
});

test("a body above the route's bound is refused, and one that a route does not ask for does not reach it", async () => {
  const { ask } = await startRoutes();
  const headers = { "content-type": "text/plain" };
  expect((await ask("/api/v1/put", { method: "POST", headers, body: "x".repeat(1001) })).status).toBe(413);
  expect((await ask("/api/v1/go", { method: "POST", headers, body: "xyz" })).json()).toEqual({ bytes: 0 });
});

test("a changing route needs the token where there is one, but not one that authenticates its requests itself", async () => {
  const file = join(tempDir(cleanup), "token");
  writeFileSync(file, "s3cret");
  const { ask } = await startRoutes("--admin-token-file", file);
  const post = { method: "POST" } as const;
  expect((await ask("/api/v1/go", post)).status).toBe(401);
  expect((await ask("/api/v1/go", { ...post, headers: { authorization: "Bearer s3cret" } })).status).toBe(200);
  expect((await ask("/api/v1/find?key=a")).status).toBe(200);
  expect((await ask("/api/v1/hook", post)).status).toBe(401);
  const signed = { "x-signature": "right" };
  expect((await ask("/api/v1/hook", { ...post, headers: signed })).json()).toEqual({ isPermitted: false });
  const both = { ...signed, authorization: "Bearer s3cret" };
  expect((await ask("/api/v1/hook", { ...post, headers: both })).json()).toEqual({ isPermitted: true });
});

test("/openapi.json tells method, parameters and statuses of each", async () => {
  const { ask } = await startRoutes();
  type Operation = { summary: string; parameters?: { name: string; required: boolean }[]; responses: object };
  const { paths } = (await ask("/openapi.json")).json() as { paths: Record<string, Record<string, Operation>> };
  const { get: find } = paths["/api/v1/find"]!;
  expect(find!.summary).toBe("Finds");
  expect(find!.parameters!.map(({ name, required }) => [name, required])).toEqual([
    ["key", true],
    ["from", false],
  ]);
  expect(Object.keys(find!.responses)).toEqual(["200", "404", "503"]);
  expect(Object.keys(paths["/api/v1/go"]!["post"]!.responses)).toEqual(["200", "401", "403", "503"]);
  expect(Object.keys(paths["/api/v1/hook"]!["post"]!.responses)).toEqual(["200", "401", "503"]);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

describe.skipIf(outside === undefined)("from another address than loopback", () => {
  test("a changing route is refused, unless it authenticates its requests itself", async () => {
    const { admin } = await startRoutes("--admin-listen", "0.0.0.0:0");
    const address = { host: outside!, port: "port" in admin ? admin.port : 0 };
    const post = { method: "POST" } as const;
    expect((await request(address, "/api/v1/go", post)).status).toBe(403);
    expect((await request(address, "/api/v1/find?key=a")).status).toBe(200);
    expect((await request(address, "/api/v1/hook", { ...post, headers: { "x-signature": "right" } })).status).toBe(200);
  });
});

test("before the container has started its routes answer 503", async () => {
  const path = join(tempDir(cleanup), "admin.sock");
  let status: number | undefined;
  await startDemo({
    args: ["--admin-listen", `unix:${path}`],
    cleanup,
    container: {
      routes,
      start: async () => {
        ({ status } = await request({ path }, "/api/v1/go", { method: "POST" }));
        return { routes: answerers };
      },
    },
  });
  expect(status).toBe(503);
});
