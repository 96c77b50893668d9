// twemproxy's nutcracker.yaml is taken as it is: the book's own file, several pools, every key, and its statistics.
import { lstatSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import {
  freePort,
  requirePrograms,
  runContainer,
  spawnContainer,
  startProgram,
  tempDir,
  until,
} from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { createClient, createRawClient } from "./ambassador.ts";
import { memcached, startMemcached, startRedis } from "./programs.ts";

const QUICK = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--stats-listen", "127.0.0.1:0"];

function write(text: string): string {
  const file = join(tempDir(cleanup), "nutcracker.yaml");
  writeFileSync(file, text);
  return file;
}

type Statistics = Record<string, Record<string, Record<string, number>>>;

/** What is told to whoever connects. */
async function statisticsOn(port: number): Promise<Statistics> {
  const socket = connect(port, "127.0.0.1");
  let told = "";
  for await (const chunk of socket.setEncoding("utf8")) told += chunk;
  return JSON.parse(told) as Statistics;
}

/** The book's file, but for the ports of its servers and listeners. */
const BOOK = (listen: { redis: number; memcache: number }, redis: number[], memcached: number[]): string => `redis:
  listen: 127.0.0.1:${listen.redis}
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  redis: true
  timeout: 400
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
${redis.map((port) => `   - 127.0.0.1:${port}:1`).join("\n")}
memcache:
  listen: 127.0.0.1:${listen.memcache}
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  timeout: 400
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
${memcached.map((port) => `   - 127.0.0.1:${port}:1`).join("\n")}
`;

async function startBook(cleanup: Cleanup) {
  const redis = await Promise.all([0, 1, 2].map(async () => startRedis(cleanup)));
  const caches = await Promise.all([0, 1, 2].map(async () => startMemcached(cleanup)));
  const listen = { redis: await freePort(), memcache: await freePort() };
  const ports = (programs: readonly { port: number }[]): number[] => programs.map(({ port }) => port);
  const file = write(BOOK(listen, ports(redis), ports(caches)));
  return { redis, listen, file };
}

describe.skipIf(memcached.skip)(memcached.title("the book's own nutcracker.yaml"), () => {
  test("works as it is, named by the variable: both pools serve, and a dead server's keys go to others", async () => {
    const { redis, listen, file } = await startBook(cleanup);
    const env = { SHARD_AMBASSADOR_CONFIG: file };
    const container = spawnContainer({ name: "shard-ambassador", args: QUICK, env, cleanup });
    await container.waitForLog("started");
    await until(async () => (await container.admin("/readyz")).status === 200);
    const client = createClient(listen.redis, cleanup);
    const keys = Array.from({ length: 90 }, (_, i) => `${i * 7919}:of:user:${i * 104_729}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await client.mget(...keys)).toEqual(keys);
    const cache = connect(listen.memcache, "127.0.0.1");
    cleanup(() => void cache.destroy());
    let told = "";
    cache.setEncoding("utf8").on("data", (text: string) => (told += text));
    cache.write("set a 0 0 1\r\n1\r\nget a\r\n");
    await until(() => told === "STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n");

    await redis[0]!.kill();
    const ejected = await container.waitForLog("shard is ejected: its keys go to others");
    expect(ejected).toMatchObject({ pool: "redis", shard: `127.0.0.1:${redis[0]!.port}` });
    const values = await client.mget(...keys);
    expect(values.filter((value) => value === null).length).toBeGreaterThan(5);
    expect(values.filter((value) => value !== null).length).toBeGreaterThan(30);
    const { body } = await container.admin("/api/v1/shards");
    const pools = (JSON.parse(body) as { shards: { pool: string }[] }).shards.map(({ pool }) => pool);
    expect(pools).toEqual(["redis", "redis", "redis", "memcache", "memcache", "memcache"]);
    const metrics = await container.metrics();
    expect(metrics.value("shard_ambassador_shard_up", { pool: "memcache" })).toBe(3);
    const asked = await container.admin("/api/v1/route?key=a&pool=memcache");
    expect(JSON.parse(asked.body)).toMatchObject({ key: "a", shard: expect.stringMatching(/^127/) });
    expect((await container.admin("/api/v1/route?key=a&pool=other")).status).toBe(404);
  });

  test("may be changed while it is in use: servers at once, anything else after a restart", async () => {
    const { redis, listen, file } = await startBook(cleanup);
    const container = spawnContainer({ name: "shard-ambassador", args: ["--config", file, ...QUICK], cleanup });
    await container.waitForLog("started");
    const ports = redis.map(({ port }) => port);
    writeFileSync(file, BOOK(listen, ports.slice(0, 2), [1]));
    const changed = await container.waitForLog(
      (record) => record.msg === "shards changed" && record["pool"] === "redis",
    );
    expect(changed["moved"]).toBeGreaterThan(0.2);
    writeFileSync(file, BOOK({ ...listen, redis: 1 }, ports, [1]));
    const refused = await container.waitForLog("reload refused");
    expect(String(refused["reasons"])).toBe(
      "redis: listen: expected to stay as it was until a restart, got another value",
    );
    expect(await createClient(listen.redis, cleanup).ping()).toBe("PONG");
  });
});

const nutcracker = requirePrograms("nutcracker", "redis-server");

describe.skipIf(nutcracker.skip)(nutcracker.title("the statistics"), () => {
  test("have the fields of the real twemproxy's, and count the same for the same commands", async () => {
    const redis = await Promise.all([0, 1, 2].map(async () => startRedis(cleanup)));
    const servers = redis.map(({ port }, i) => `   - 127.0.0.1:${port}:1${i === 0 ? "" : ` server${i}`}`).join("\n");
    const pool = (port: number): string =>
      `alpha:\n  listen: 127.0.0.1:${port}\n  redis: true\n  hash: murmur\n  hash_tag: "{}"\n  timeout: 5000\n  servers:\n${servers}\n`;
    const [theirs, ours, statistics] = [await freePort(), await freePort(), await freePort()];
    const folder = tempDir(cleanup);
    const args = ["-c", write(pool(theirs)), "-s", String(statistics), "-i", "100", "-o", join(folder, "log")];
    await startProgram(nutcracker.path("nutcracker"), args, { port: theirs, cleanup });
    const container = spawnContainer({
      name: "shard-ambassador",
      args: ["--config", write(pool(ours)), ...QUICK],
      cleanup,
    });
    const told = Number((await container.address("statistics")).split(":").at(-1));
    await until(async () => (await container.admin("/readyz")).status === 200);
    const work = async (port: number): Promise<void> => {
      const client = createRawClient(port, cleanup);
      const keys = Array.from({ length: 60 }, (_, i) => `key:${i}`);
      for (const key of keys) client.socket.write(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$3\r\nabc\r\n`);
      client.socket.write(`*61\r\n$4\r\nMGET\r\n${keys.map((key) => `$${key.length}\r\n${key}\r\n`).join("")}`);
      await until(() => client.replies.length === 61);
    };
    await Promise.all([work(theirs), work(ours)]);
    // twemproxy adds its numbers up every 100 ms.
    const served = async (port: number): Promise<Statistics> => {
      let found: Statistics = {};
      await until(async () => {
        found = await statisticsOn(port);
        const shards = Object.values(found["alpha"]!).filter((value) => typeof value === "object");
        return shards.reduce((sum, { responses }) => sum + responses!, 0) === 63;
      });
      return found;
    };
    const [expected, got] = [await served(statistics), await served(told)];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    expect(Object.keys(got["alpha"]!).sort()).toEqual(Object.keys(expected["alpha"]!).sort());
    for (const server of ["server1", "server2", `127.0.0.1:${redis[0]!.port}`]) {
      expect(got["alpha"]![server]).toEqual(expected["alpha"]![server]);
    }
    const { fragments, client_connections: clients, forward_error: errors, server_ejects: ejects } = got["alpha"]!;
    expect([fragments, clients, errors, ejects]).toEqual([3, 1, 0, 0]);
    expect(expected["alpha"]).toMatchObject({
      client_connections: 1,
      forward_error: 0,
      server_ejects: 0,
    });
  });
});

test("every key is read in its own units, with its own default", async () => {
  const file = write(`alpha:
  listen: /tmp/never-bound.sock 0666
  hash: crc16
  hash_tag: "$$"
  distribution: modula
  timeout: 400
  backlog: 1024
  client_connections: 7
  tcpkeepalive: true
  reuseport: true
  preconnect: true
  redis: true
  redis_auth: "s3cret-words"
  redis_db: 3
  auto_eject_hosts: true
  server_connections: 2
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
   - /tmp/redis.sock:1 one
   - ::1:6379:3
beta:
  listen: 0.0.0.0:22122
  servers:
   - cache.example:11211:1
`);
  const printed = await runContainer({ name: "shard-ambassador", args: ["--config", file, "--print-config"], cleanup });
  expect(printed).toMatchObject({ code: 0 });
  expect(printed.stdout).toContain("server_retry_timeout: 30000");
  expect(printed.stdout).not.toContain("s3cret-words");
  const routed = await runContainer({ name: "shard-ambassador", args: ["route", "foo", "--config", file], cleanup });
  expect(routed.stdout).toMatch(
    /^alpha (one unix:\/tmp\/redis\.sock|::1:6379 \[::1\]:6379)\nbeta cache\.example cache\.example:11211\n$/,
  );
});

test("what is wrong in it is named as it stands there, all at once", async () => {
  const file = write(`alpha:
  listen: 127.0.0.1:22121
  hash: sha512
  timeout: 400ms
  sentinels: none
  servers:
   - 127.0.0.1:6379
beta:
  listen: 127.0.0.1:22122
  redis: true
  servers:
   - 127.0.0.1:6379:1 one
   - 127.0.0.1:6380:1 one
`);
  const { code, stderr } = await runContainer({ name: "shard-ambassador", args: ["--config", file], cleanup });
  expect(code).toBe(2);
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => line.replace(`shard-ambassador: ${file}`, "file"));
  expect(lines).toEqual([
    expect.stringMatching(
      /^file: alpha\.servers\[0\]: expected host:port:weight or \/path:weight, and a name, got 127/,
    ),
    expect.stringMatching(/^file: alpha\.hash: expected one of one_at_a_time, md5/),
    "file: alpha.timeout: expected a whole number from 0 to 2147483647, got 400ms",
    expect.stringMatching(/^file: alpha: expected no key sentinels, got/),
  ]);
  writeFileSync(file, "beta:\n  listen: 1.2.3.4:1\n  servers: [a:1:1 one, 'b:1:1 one']\n  redis_auth: words\n");
  const other = await runContainer({ name: "shard-ambassador", args: ["--config", file, "--shards", "a:1"], cleanup });
  expect(
    other.stderr
      .trim()
      .split("\n")
      .map((line) => line.replace(file, "file")),
  ).toEqual([
    "shard-ambassador: --shards: expected nothing beside pools, got a list",
    "shard-ambassador: file: beta.servers: expected names that differ, got one twice",
    "shard-ambassador: file: beta.redis_auth: expected --protocol redis beside it, got memcached",
  ]);
});

test("a Unix socket to listen on gets the permissions that stand behind its path, and a dead one makes way", async () => {
  const path = join(tempDir(cleanup), "proxy.sock");
  const file = write(
    `alpha:\n  listen: ${path} 0660\n  redis: true\n  servers:\n   - 127.0.0.1:${await freePort()}:1\n`,
  );
  const first = spawnContainer({ name: "shard-ambassador", args: ["--config", file, ...QUICK], cleanup });
  await first.waitForLog("started");
  expect((lstatSync(path).mode & 0o777).toString(8)).toBe("660");
  first.signal("SIGKILL");
  await first.exited;
  const second = spawnContainer({ name: "shard-ambassador", args: ["--config", file, ...QUICK], cleanup });
  await second.waitForLog("started");
  const socket = connect(path);
  cleanup(() => void socket.destroy());
  let told = "";
  socket.setEncoding("utf8").on("data", (text: string) => (told += text));
  socket.write("*1\r\n$4\r\nPING\r\n");
  await until(() => told === "+PONG\r\n");
});

test("reuseport lets two listen on one port, and redis_db is selected on every connection", async () => {
  const shard = await startRedis(cleanup);
  const port = await freePort();
  const file = write(
    `alpha:\n  listen: 127.0.0.1:${port}\n  redis: true\n  redis_db: 3\n  reuseport: true\n  servers:\n   - 127.0.0.1:${shard.port}:1\n`,
  );
  const start = async () => {
    const container = spawnContainer({ name: "shard-ambassador", args: ["--config", file, ...QUICK], cleanup });
    await container.waitForLog("started");
    await until(async () => (await container.admin("/readyz")).status === 200);
  };
  await start();
  await start();
  await createClient(port, cleanup).set("where", "third");
  const direct = createClient(shard.port, cleanup);
  expect(await direct.get("where")).toBeNull();
  await direct.select(3);
  expect(await direct.get("where")).toBe("third");
});
