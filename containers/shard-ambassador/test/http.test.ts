import { writeFileSync } from "node:fs";
// The ambassador in front of HTTP servers: each request goes to the shard that owns its key.
import { Agent, createServer, request as open } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { freePort, rawExchange, requirePrograms, startProgram, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { NAMES, startAmbassador } from "./ambassador.ts";
import type { Ambassador } from "./ambassador.ts";

type Shard = { readonly port: number; readonly server: Server; readonly seen: string[]; close(): void };
type Handle = (request: IncomingMessage, name: string) => { status: number; body: string } | undefined | "reset";

const tell: Handle = ({ url }, name) => ({ status: 200, body: `${name} ${url}` });

/** A server that tells its name and what it was asked for; `undefined` answers never, `reset` closes. */
async function startShard(name: string, handle: Handle = tell, port = 0): Promise<Shard> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    if (request.url !== "/") seen.push(`${request.method} ${request.url}`);
    request.resume();
    const answer = handle(request, name);
    if (answer === "reset") request.socket.destroy();
    else if (answer !== undefined) response.writeHead(answer.status, { "x-shard": name }).end(answer.body);
  });
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  cleanup(close);
  return { port: (server.address() as AddressInfo).port, server, seen, close };
}

const startShards = async (handle?: Handle): Promise<Shard[]> =>
  Promise.all(NAMES.map((name) => startShard(name, handle)));

const start = async (shards: readonly { port: number }[], args: readonly string[] = []): Promise<Ambassador> =>
  startAmbassador(shards, { args: ["--protocol", "http", ...args], listener: "http", cleanup });

type Asked = { status: number; body: string; shard: string | undefined };

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

function ask(
  { port }: { port: number },
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const asked = open({ port, host: "127.0.0.1", path, method, headers, agent }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => {
      resolve({ status: response.statusCode!, body: text, shard: response.headers["x-shard"] as string | undefined });
    });
  });
  asked.on("error", reject);
  asked.end(body);
  return promise;
}

const PATHS = Array.from({ length: 100 }, (_, i) => `/item/${i}`);

describe("requests", () => {
  test("spread over the shards by their path, and each path has one place, whatever the query", async () => {
    const shards = await startShards();
    const ambassador = await start(shards);
    const asked = await Promise.all(PATHS.map((path) => ask(ambassador, path)));
    const counts = NAMES.map((name) => asked.filter(({ shard }) => shard === name).length);
    expect(Math.min(...counts)).toBeGreaterThan(10);
    for (const [i, path] of PATHS.entries()) {
      expect((await ask(ambassador, `${path}?n=${i}`)).shard).toBe(asked[i]!.shard);
    }
    const routed = await ambassador.admin(`/api/v1/route?key=${encodeURIComponent(PATHS[0]!)}`);
    expect(JSON.parse(routed.body)).toMatchObject({ shard: asked[0]!.shard });
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_requests_total")).toBe(200);
    expect(metrics.value("shard_ambassador_requests_total", { shard: asked[0]!.shard! })).toBeGreaterThan(20);
  });

  test("have their key where --key says: the first of the chain that there is", async () => {
    const shards = await startShards();
    const chain = "header:X-User,cookie:sid,query:user,path-regex:^/users/([^/]+)/";
    const ambassador = await start(shards, ["--key", chain]);
    const shardOf = async (key: string) =>
      (JSON.parse((await ambassador.admin(`/api/v1/route?key=${key}`)).body) as { shard: string }).shard;
    for (const key of ["ada", "grace", "edsger", "barbara", "donald"]) {
      const expected = await shardOf(key);
      const found = [
        await ask(ambassador, "/any", { headers: { "x-user": key, cookie: "sid=other" } }),
        await ask(ambassador, "/any?user=other", { headers: { cookie: `theme=dark; sid=${key}; xsid=no` } }),
        await ask(ambassador, `/any?superuser=no&user=${key}&user=other`),
        await ask(ambassador, `/users/${key}/cart`),
      ];
      expect(found.map(({ shard }) => shard)).toEqual([expected, expected, expected, expected]);
    }
    const none = await ask(ambassador, "/nothing", { headers: { "x-user": "" } });
    expect(none).toMatchObject({ status: 400, body: expect.stringContaining("expected a key") });
    expect((await ambassador.metrics()).value("shard_ambassador_requests_refused_total", { reason: "no_key" })).toBe(1);
  });

  test("by client are told apart by whom a trusted proxy names, and by nobody else", async () => {
    const shards = await startShards();
    const trusting = await start(shards, ["--key", "client-ip"]);
    const from = async (ambassador: Ambassador, forwarded: string) =>
      (await ask(ambassador, "/", { headers: { "x-forwarded-for": forwarded } })).shard;
    const clients = Array.from({ length: 20 }, (_, i) => `203.0.113.${i}`);
    const asked = await Promise.all(clients.map((client) => from(trusting, `10.9.8.7, ${client}, 127.0.0.1`)));
    expect(new Set(asked).size).toBeGreaterThan(2);
    expect(await from(trusting, `198.51.100.1, ${clients[0]}`)).toBe(asked[0]);
    const wary = await start(shards, ["--key", "client-ip", "--trusted-proxies", "10.0.0.0/8"]);
    expect(new Set(await Promise.all(clients.map((client) => from(wary, client)))).size).toBe(1);
  });

  test("keep their bodies, and Upgrade reaches the shard", async () => {
    const shards = await startShards((request, name) => {
      request.on("data", () => undefined);
      return { status: 200, body: `${name} ${request.method} ${request.headers["content-length"]}` };
    });
    const ambassador = await start(shards);
    const { body } = await ask(ambassador, "/up", { method: "POST", body: "x".repeat(100_000) });
    expect(body).toMatch(/ POST 100000$/);
    const shard = shards[NAMES.indexOf(body.split(" ")[0] as "alpha")]!;
    shard.server.on("upgrade", (_, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.pipe(socket);
    });
    const { status } = await ask(ambassador, "/up", { method: "POST", body: "y" });
    expect(status).toBe(200);
    const text = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello";
    const { text: received } = await rawExchange({ port: ambassador.port, send: text, until: /hello$/ });
    expect(received).toMatch(/^HTTP\/1\.1 101 [^]*hello$/);
  });
});

/** The paths of a shard, as the others know them. */
async function pathsOf(ambassador: Ambassador, name: string): Promise<string[]> {
  const asked = await Promise.all(PATHS.map((path) => ask(ambassador, path)));
  return PATHS.filter((_, i) => asked[i]!.shard === name);
}

describe("with a shard", () => {
  test("that is killed, its requests go to others at once, and come back with it", async () => {
    const shards = await startShards();
    const ambassador = await start(shards);
    const lost = await pathsOf(ambassador, "beta");
    const before = await Promise.all(PATHS.map((path) => ask(ambassador, path)));
    shards[1]!.close();
    const asked = await Promise.all(PATHS.map((path) => ask(ambassador, path)));
    expect(asked.every(({ status }) => status === 200)).toBe(true);
    for (const [i, path] of PATHS.entries()) {
      if (lost.includes(path)) expect(asked[i]!.shard).not.toBe("beta");
      else expect(asked[i]!.shard).toBe(before[i]!.shard);
    }
    await ambassador.waitForLog("shard is ejected: its keys go to others");
    // Where a request went the second time is where its path is while the shard is away.
    const later = await Promise.all(lost.map((path) => ask(ambassador, path)));
    expect(later.map(({ shard }) => shard)).toEqual(lost.map((path) => asked[PATHS.indexOf(path)]!.shard));
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_retries_total", { outcome: "sent" })).toBeGreaterThan(0);
    expect(metrics.value("shard_ambassador_shard_up", { shard: "beta" })).toBe(0);
    await startShard("beta", tell, shards[1]!.port);
    await ambassador.waitForLog("shard is admitted again");
    expect((await ask(ambassador, lost[0]!)).shard).toBe("beta");
  });

  test("that is killed, with --on-failure fail its own fail by its name and with 503, and no others", async () => {
    const shards = await startShards();
    const ambassador = await start(shards, ["--on-failure", "fail", "--probe-interval", "100ms"]);
    const lost = await pathsOf(ambassador, "gamma");
    shards[2]!.close();
    expect((await ask(ambassador, lost[0]!)).status).toBe(502);
    await until(async () => (await ask(ambassador, lost[0]!)).status === 503);
    const asked = await Promise.all(PATHS.map((path) => ask(ambassador, path)));
    for (const [i, path] of PATHS.entries()) expect(asked[i]!.status).toBe(lost.includes(path) ? 503 : 200);
    expect((await ask(ambassador, lost[0]!)).body).toMatch(/^503: shard gamma cannot be reached/);
    expect((await ambassador.admin("/readyz")).status).toBe(200);
    await startShard("gamma", tell, shards[2]!.port);
    await until(async () => (await ask(ambassador, lost[0]!)).status === 200);
  });

  test("that fails in different ways, the client is told which: 502, 503 or 504", async () => {
    const handle: Handle = ({ url }) => {
      if (url === "/late") return undefined;
      return url === "/broken" ? "reset" : { status: 200, body: "" };
    };
    const only = await startShard("alpha", handle);
    const ambassador = await start([only], ["--timeout", "300ms", "--failure-limit", "100", "--retry-budget", "0"]);
    expect((await ask(ambassador, "/well")).status).toBe(200);
    expect(await ask(ambassador, "/late")).toMatchObject({
      status: 504,
      body: expect.stringContaining("response_timeout"),
    });
    expect(await ask(ambassador, "/broken")).toMatchObject({
      status: 502,
      body: expect.stringContaining("closed_early"),
    });
    only.close();
    expect(await ask(ambassador, "/well")).toMatchObject({ status: 502 });
    const errors = await ambassador.metrics();
    const count = (reason: string) => errors.value("shard_ambassador_shard_errors_total", { shard: "alpha", reason });
    expect([count("timeout"), count("lost")]).toEqual([1, expect.any(Number)]);
  });

  test("that answers nothing, only what may be sent again is, once, and as far as the budget goes", async () => {
    const shards = await startShards(({ url }) => (url === "/" ? { status: 200, body: "" } : "reset"));
    const ambassador = await start(shards, ["--failure-limit", "1000"]);
    const total = (): number => shards.reduce((sum, { seen }) => sum + seen.length, 0);
    expect((await ask(ambassador, "/a")).status).toBe(502);
    expect(total()).toBe(2);
    expect(shards.filter(({ seen }) => seen.length === 1)).toHaveLength(2);
    expect((await ask(ambassador, "/a", { method: "POST", body: "once" })).status).toBe(502);
    expect((await ask(ambassador, "/a", { method: "POST" })).status).toBe(502);
    expect((await ask(ambassador, "/a", { method: "PUT", body: "once" })).status).toBe(502);
    expect(total()).toBe(5);
    for (let i = 0; i < 40; i++) expect((await ask(ambassador, "/a")).status).toBe(502);
    // 10 in reserve, and one for every five requests: 44 came in all.
    const sent = total() - 5 - 40;
    expect(sent).toBeGreaterThanOrEqual(9);
    expect(sent).toBeLessThanOrEqual(19);
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_retries_total", { outcome: "over_budget" })).toBeGreaterThan(15);
  });
});

const nginx = requirePrograms("nginx");

test.skipIf(nginx.skip)(
  nginx.title("10,000 requests land where the real nginx sends them, with hash consistent"),
  async () => {
    const ports: number[] = [];
    for (let i = 0; i < 5; i++) ports.push(await freePort());
    const [port, ...backends] = ports as [number, ...number[]];
    const weights = [1, 1, 2, 1];
    const folder = tempDir(cleanup);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off; keepalive_requests 100000;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      upstream shards {
        hash $request_uri consistent;
        ${backends.map((backend, i) => `server 127.0.0.1:${backend} weight=${weights[i]};`).join(" ")}
        keepalive 16;
      }
      ${backends.map((backend, i) => `server { listen 127.0.0.1:${backend}; return 200 "${i}"; }`).join("\n")}
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://shards; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`,
    );
    const args = ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")];
    await startProgram(nginx.path("nginx"), args, { port, cleanup });
    const list = backends.map((backend, i) => `127.0.0.1:${backend}:${weights[i]}`).join(",");
    const placement = ["--distribution", "nginx", "--key", "uri", "--shards", list];
    const ambassador = await startAmbassador([], {
      args: ["--protocol", "http", ...placement],
      listener: "http",
      cleanup,
    });
    await until(async () => (await ambassador.admin("/readyz")).status === 200);
    const paths = Array.from({ length: 10_000 }, (_, i) => `/words/${i % 13}/{${i % 7}}/${i}?page=${i % 5}`);
    const bodies = async (port: number): Promise<string[]> =>
      Promise.all(paths.map(async (path) => (await ask({ port }, path)).body));
    const theirs = await bodies(port);
    const ours = await bodies(ambassador.port);
    expect(new Set(theirs).size).toBe(4);
    expect(ours.filter((shard, i) => shard !== theirs[i])).toEqual([]);
  },
  60_000,
);
