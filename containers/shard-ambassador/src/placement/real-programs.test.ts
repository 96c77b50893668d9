// The same keys through the real twemproxy and the real nginx land on the same shards as through our placement.
import { writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { freePort, requirePrograms, startProgram, tempDir } from "@outrigger/testing";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { startRedis } from "../../test/programs.ts";
import { HASH_NAMES } from "./hashes.ts";
import type { HashName } from "./hashes.ts";
import { ketamaName } from "./ketama.ts";
import { createPlacement } from "./placement.ts";
import type { PlacementSettings } from "./placement.ts";

const BRACES = { open: 0x7b, close: 0x7d };
const COUNT = 10_000;
/** Plain keys, keys with a hash tag, keys beyond ASCII, and some with a tag that is empty or does not end. */
const KEYS = Array.from({ length: COUNT }, (_, i) => {
  const forms = [`key:${i}`, `user:{${i % 700}}:item:${i}`, `café-${i}-ÿ`, `{}${i}`, `{open ${i}`];
  return forms[i % forms.length]!;
});

type Server = { readonly name: string | undefined; readonly weight: number };
type Pool = { readonly servers: readonly Server[]; readonly settings: PlacementSettings };

const named = (...weights: number[]): Server[] => weights.map((weight, i) => ({ name: `shard-${i}`, weight }));
const unnamed = (count: number): Server[] => Array.from({ length: count }, () => ({ name: undefined, weight: 1 }));
const settings = (given: Partial<PlacementSettings>): PlacementSettings => ({
  distribution: "ketama",
  hash: "fnv1a_64",
  hashTag: undefined,
  ...given,
});

const twemproxy = requirePrograms("nutcracker", "redis-server");

describe.skipIf(twemproxy.skip)(twemproxy.title("the real twemproxy agrees on 10,000 keys"), () => {
  const redis: { port: number; client: Redis }[] = [];
  const undo: Parameters<Cleanup>[0][] = [];

  beforeAll(async () => {
    for (let i = 0; i < 4; i++) {
      const { port } = await startRedis((step) => void undo.push(step));
      redis.push({ port, client: new Redis(port, "127.0.0.1") });
    }
  });
  afterAll(async () => {
    for (const { client } of redis) client.disconnect();
    for (const step of undo.toReversed()) await step();
  });

  /** The shard of each key, as twemproxy chose it. */
  async function landed({ servers, settings: { distribution, hash, hashTag } }: Pool): Promise<Map<string, number>> {
    const port = await freePort();
    const lines = servers.map(({ name, weight }, i) => {
      return `   - 127.0.0.1:${redis[i]!.port}:${weight}${name === undefined ? "" : ` ${name}`}`;
    });
    const keys = [`listen: 127.0.0.1:${port}`, `hash: ${hash}`, `distribution: ${distribution}`, "redis: true"];
    if (hashTag !== undefined) keys.push('hash_tag: "{}"');
    const folder = tempDir(onTestFinished);
    const file = join(folder, "nutcracker.yml");
    writeFileSync(file, ["pool:", ...keys.map((key) => `  ${key}`), "  servers:", ...lines, ""].join("\n"));
    const args = ["-c", file, "-s", String(await freePort()), "-o", join(folder, "log")];
    await startProgram(twemproxy.path("nutcracker"), args, { port, cleanup: onTestFinished });
    await Promise.all(redis.map(({ client }) => client.flushall()));
    const proxy = new Redis(port, "127.0.0.1", { enableReadyCheck: false, disableClientInfo: true, protocol: 2 });
    onTestFinished(() => proxy.disconnect());
    const pipeline = proxy.pipeline();
    for (const key of KEYS) pipeline.set(key, "1");
    await pipeline.exec();
    const held = await Promise.all(redis.map(({ client }) => client.keys("*")));
    return new Map(held.flatMap((all, shard) => all.map((key) => [key, shard])));
  }

  async function compare({ servers, settings }: Pool): Promise<void> {
    const theirs = await landed({ servers, settings });
    const nodes = servers.map(({ name, weight }, i) => ({
      name: name ?? ketamaName("127.0.0.1", redis[i]!.port),
      weight,
    }));
    const locate = createPlacement(nodes, settings);
    const ours = KEYS.map((key) => [key, locate(Buffer.from(key), 0, Buffer.byteLength(key))] as const);
    expect(theirs.size).toBe(COUNT);
    expect(ours.filter(([key, shard]) => theirs.get(key) !== shard)).toEqual([]);
  }

  test("with fnv1a_64, ketama and a hash tag, the servers known by their addresses", () =>
    compare({ servers: unnamed(4), settings: settings({ hashTag: BRACES }) }));

  test("with md5, modula and names", () =>
    compare({ servers: named(1, 1, 1, 1), settings: settings({ distribution: "modula", hash: "md5" }) }));

  test("with ketama and weights", () =>
    compare({ servers: named(1, 2, 3, 7), settings: settings({ hash: "murmur" }) }));

  test("with modula and weights", () =>
    compare({ servers: named(3, 1, 2), settings: settings({ distribution: "modula", hash: "crc32" }) }));

  const theirs = HASH_NAMES.filter((name): name is Exclude<HashName, "xxh64"> => name !== "xxh64");
  test.each(theirs)("with the hash %s", (hash) =>
    compare({ servers: named(1, 1, 1, 1), settings: settings({ distribution: "modula", hash, hashTag: BRACES }) }),
  );
});

const nginx = requirePrograms("nginx");

test.skipIf(nginx.skip)(nginx.title("the real nginx agrees on 10,000 paths, with hash consistent"), async () => {
  const ports: number[] = [];
  for (let i = 0; i < 5; i++) ports.push(await freePort());
  const [port, ...backends] = ports as [number, ...number[]];
  const weights = [1, 1, 2, 1];
  const folder = tempDir(onTestFinished);
  const servers = backends.map((backend, i) => `server 127.0.0.1:${backend} weight=${weights[i]};`);
  const apps = backends.map((backend, i) => `server { listen 127.0.0.1:${backend}; return 200 "${i}"; }`);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events {}
    http {
      access_log off;
      keepalive_requests 100000;
      ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      upstream shards { hash $uri consistent; ${servers.join(" ")} keepalive 16; }
      ${apps.join("\n")}
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://shards; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`,
  );
  const args = ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")];
  await startProgram(nginx.path("nginx"), args, { port, cleanup: onTestFinished });
  const nodes = backends.map((backend, i) => ({ name: `127.0.0.1:${backend}`, weight: weights[i]! }));
  const locate = createPlacement(nodes, settings({ distribution: "nginx" }));
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  onTestFinished(() => agent.destroy());
  const paths = Array.from({ length: COUNT }, (_, i) => `/words/${i % 13}/${i}`);
  const theirs = await Promise.all(paths.map((path) => textOf(port, path, agent)));
  const ours = paths.map((path) => String(locate(Buffer.from(path), 0, path.length)));
  expect(theirs.filter((shard, i) => shard !== ours[i])).toEqual([]);
});

function textOf(port: number, path: string, agent: Agent): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ port, host: "127.0.0.1", path, agent }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(text));
  }).on("error", reject);
  return promise;
}
