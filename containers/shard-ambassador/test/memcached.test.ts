// The ambassador in front of real memcached servers: to a client, four are as one.
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { Program } from "@outrigger/testing";
import { freePort, rawExchange, requirePrograms, startProgram, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { NAMES, startAmbassador, startDelay } from "./ambassador.ts";
import type { Ambassador } from "./ambassador.ts";
import { memcached, startMemcached } from "./programs.ts";

const twemproxy = requirePrograms("nutcracker");

async function startAll(args: readonly string[] = []): Promise<{ shards: Program[]; ambassador: Ambassador }> {
  const shards = await Promise.all(NAMES.map(() => startMemcached(cleanup)));
  const ambassador = await startAmbassador(shards, {
    args: ["--protocol", "memcached", ...args],
    cleanup,
    listener: "memcached",
  });
  return { shards, ambassador };
}

/** All that a server answers until the reply to a last `mn`. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  cleanup(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk: Buffer) => void (received += chunk.toString("latin1")));
  socket.write(`${text}mn\r\n`);
  await until(() => received.endsWith("MN\r\n"), { timeoutMs: 10_000, describe: `the reply to ${text.slice(0, 200)}` });
  return received.slice(0, -4);
}

/** Asks for keys in batches for as long as it is let, quiet and not; resolves with the first reply that is not its own. */
function checkOrder(port: number, client: number, failed: { count: number }) {
  let rounds = 0;
  const stopping = new AbortController();
  const run = async (): Promise<string | undefined> => {
    while (!stopping.signal.aborted) {
      const asked = Array.from({ length: 30 }, (_, i) => ({
        key: KEYS[(client * 7 + rounds * 3 + i) % KEYS.length]!,
        tag: `${rounds}.${i}`,
      }));
      const text = asked.map(({ key, tag }, i) => `mg ${key} v k O${tag}${i % 2 === 0 ? " q" : ""}\r\n`).join("");
      const reply = await exchange(port, text);
      // Lost keys are misses after a restart, which quiet commands do not tell: what is told has to be in order.
      const order = [...reply.matchAll(/^(?:VA \d+|EN|SERVER_ERROR)[^\r]*\r$/gm)].map(([line]) => line);
      const values = [...reply.matchAll(/^VA \d+ k(\S+) O(\S+)\r\n([^\r]*)\r$/gm)];
      failed.count += order.filter((line) => line.startsWith("SERVER_ERROR")).length;
      const tags = values.map(([, , tag]) => asked.findIndex((one) => one.tag === tag));
      const isOwn = values.every(([, key, , value], i) => key === value && asked[tags[i]!]?.key === key);
      if (!isOwn || tags.some((tag, i) => i > 0 && tag <= tags[i - 1]!)) return reply;
      rounds++;
    }
    return undefined;
  };
  return { rounds: () => rounds, stop: () => stopping.abort(), done: run() };
}

const KEYS = Array.from({ length: 60 }, (_, i) => `key:${i}`);
const store = KEYS.map((key, i) => `set ${key} ${i} 0 ${key.length}\r\n${key}\r\n`).join("");

describe.skipIf(memcached.skip)(memcached.title("to a client of memcached"), () => {
  test("four shards answer as one: every command, noreply and quiet ones included", async () => {
    const { ambassador } = await startAll();
    const alone = await startMemcached(cleanup);
    const same = async (text: string): Promise<void> =>
      expect.soft(await exchange(ambassador.port, text), text.slice(0, 80)).toBe(await exchange(alone.port, text));
    await same(store);
    await same(`get ${KEYS.join(" ")} nokey\r\n`);
    await same(`get ${KEYS.toReversed().join(" ")}\r\nget ${KEYS[3]} ${KEYS[3]}\r\ngat 0 ${KEYS.join(" ")}\r\n`);
    await same(
      "add key:1 0 0 1\r\nx\r\nreplace key:1 0 0 1\r\n5\r\nappend key:1 0 0 1\r\n0\r\nprepend key:1 0 0 1\r\n1\r\n",
    );
    await same("incr key:1 5\r\ndecr key:1 1\r\ntouch key:1 0\r\nget key:1\r\ndelete key:2\r\nget key:2\r\n");
    await same(
      "set key:3 0 0 1 noreply\r\nz\r\ndelete key:4 noreply\r\nincr key:1 1 noreply\r\nincr no 1 noreply\r\nget key:1\r\n",
    );
    await same("mg key:3 v f t s k O123\r\nmg no v\r\nmg no v q\r\nmg key:3 v q\r\nmg key:3 q k\r\nme no\r\n");
    await same(
      "ms key:3 2 q\r\nab\r\nms key:3 2 q ME\r\nab\r\nms key:5 2\r\n\r\n\r\nmd key:3 q\r\nmd key:3 q\r\nmd key:3\r\nmg key:5 v\r\n",
    );
    await same("ms n 1\r\n1\r\nma n q\r\nma n v\r\nma none q\r\nma n q v D5\r\nmg n v\r\n");
    await same(`${KEYS.map((key) => `mg ${key} v k q\r\n`).join("")}mn\r\nmg key:9 v\r\n`);
    await same(`get ${"k".repeat(250)}\r\nincr key:9 1\r\nincr key:1 x\r\ncas key:9 0 0 1 1\r\nx\r\nnosuch\r\n`);
  });

  test("a binary key is the same item as its text", async () => {
    const { ambassador } = await startAll();
    const binary = KEYS.map((key) => `mg ${Buffer.from(key).toString("base64")} b v\r\n`).join("");
    const { length } = (await exchange(ambassador.port, store + binary)).match(/^VA /gm) ?? [];
    expect(length).toBe(KEYS.length);
  });

  test.skipIf(twemproxy.skip)(twemproxy.title("what came in through the real twemproxy is found"), async () => {
    const { shards, ambassador } = await startAll(["--distribution", "ketama", "--hash-tag", "none"]);
    const port = await freePort();
    const servers = shards.map((shard, i) => `   - 127.0.0.1:${shard.port}:1 ${NAMES[i]}`);
    const pool = ["pool:", `  listen: 127.0.0.1:${port}`, "  hash: fnv1a_64", "  distribution: ketama", "  servers:"];
    const folder = tempDir(cleanup);
    const file = join(folder, "nutcracker.yml");
    writeFileSync(file, `${[...pool, ...servers].join("\n")}\n`);
    const args = ["-c", file, "-s", String(await freePort()), "-o", join(folder, "log")];
    await startProgram(twemproxy.path("nutcracker"), args, { port, cleanup });
    const keys = Array.from({ length: 1000 }, (_, i) => `{user:${i % 7}}:${i}`);
    const socket = connect(port, "127.0.0.1");
    cleanup(() => void socket.destroy());
    let stored = "";
    socket.on("data", (chunk: Buffer) => void (stored += chunk.toString("latin1")));
    socket.write(keys.map((key) => `set ${key} 0 0 1\r\nx\r\n`).join(""));
    await until(() => stored === "STORED\r\n".repeat(keys.length));
    const found = (await exchange(ambassador.port, `get ${keys.join(" ")}\r\n`)).matchAll(/^VALUE (\S+) /gm);
    expect(Array.from(found, ([, key]) => key)).toEqual(keys);
  });

  test("keys spread over the shards, and outrigger route tells where", async () => {
    const { shards, ambassador } = await startAll();
    const routes = await exchange(ambassador.port, store + KEYS.map((key) => `outrigger route ${key}\r\n`).join(""));
    const owners = [...routes.matchAll(/^ROUTE (\S+) (\S+)\r$/gm)].map(([, name]) => name!);
    for (const [i, { port }] of shards.entries()) {
      const own = KEYS.filter((_, key) => owners[key] === NAMES[i]);
      expect(own.length).toBeGreaterThan(3);
      const held = (await exchange(port, `get ${KEYS.join(" ")}\r\n`)).matchAll(/^VALUE (\S+) /gm);
      expect(Array.from(held, ([, key]) => key)).toEqual(own);
    }
  });

  test("what a server would take for a new command never reaches one", async () => {
    const { shards, ambassador } = await startAll();
    const hidden = "set evil 0 0 1\r\n";
    const size = hidden.length - 2;
    for (const head of [
      "set k x 0",
      "set k 0 x",
      "set k 4294967296 0",
      "set k 0 99999999999",
      `set ${"k".repeat(251)} 0 0`,
    ]) {
      expect(await exchange(ambassador.port, `${head} ${size}\r\n${hidden}`)).toMatch(/^CLIENT_ERROR [^\r\n]+\r\n$/);
    }
    for (const flags of ["1", "T0 T0", "b", `O${"x".repeat(40)}`, "a b c d e f g h i j k l m n o p q r s t"]) {
      expect(await exchange(ambassador.port, `ms k! ${size} ${flags}\r\n${hidden}`)).toMatch(
        /^CLIENT_ERROR [^\r\n]+\r\n$/,
      );
    }
    for (const flags of ["Tx", "Fx", "Cx", "MZ", "z", "~", "N", "I"]) {
      expect((await exchange(ambassador.port, `ms k ${size} ${flags}\r\n${hidden}`)).split("\r\n")).toHaveLength(2);
    }
    expect(await exchange(ambassador.port, "flush_all\r\nstats\r\n")).toMatch(
      /^CLIENT_ERROR 'flush_all' .*\r\nCLIENT_ERROR /,
    );
    for (const { port } of shards) expect(await exchange(port, "get evil\r\n")).toBe("END\r\n");
  });

  test("where framing is in doubt the connection ends", async () => {
    const { ambassador } = await startAll();
    for (const send of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "set a 0 0 1\r\nxyz\r\n", "get a\n"]) {
      const { text, ended } = await rawExchange({ port: ambassador.port, send: ["mn\r\n", send] });
      expect(text).toMatch(/^MN\r\nCLIENT_ERROR [^\r\n]+\r\n$/);
      expect(ended).toBe("close");
    }
  });

  test("with --on-failure fail, a killed shard costs its own keys an error, and a get of many says so at its end", async () => {
    const { shards, ambassador } = await startAll(["--on-failure", "fail"]);
    await exchange(ambassador.port, store);
    await shards[1]!.kill();
    await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "beta");
    const single = await exchange(ambassador.port, KEYS.map((key) => `mg ${key} v\r\n`).join(""));
    const lost = single.match(/^SERVER_ERROR shard beta [^\r]+\r$/gm)!.length;
    expect(lost).toBeGreaterThan(3);
    expect(single.match(/^VA /gm)).toHaveLength(KEYS.length - lost);
    const many = await exchange(ambassador.port, `get ${KEYS.join(" ")}\r\n`);
    expect(many.match(/^VALUE /gm)).toHaveLength(KEYS.length - lost);
    expect(many).toMatch(/\r\nSERVER_ERROR shard beta [^\r]+\r\n$/);
  });

  test("no reply is mixed up when shards answer at different times and one is killed and comes back", async () => {
    const shards = await Promise.all(NAMES.map(() => startMemcached(cleanup)));
    const lines = await Promise.all(shards.map(({ port }) => startDelay(port, () => Math.random() * 4, cleanup)));
    const args = ["--protocol", "memcached", "--on-failure", "fail", "--probe-interval", "100ms"];
    const ambassador = await startAmbassador(lines, { args, cleanup, listener: "memcached" });
    await exchange(ambassador.port, store);
    const failed = { count: 0 };
    const clients = Array.from({ length: 8 }, (_, client) => checkOrder(ambassador.port, client, failed));
    await until(() => clients.every(({ rounds }) => rounds() > 3));
    await shards[1]!.kill();
    await until(() => failed.count > 20);
    await startMemcached(cleanup, shards[1]!.port);
    await ambassador.waitForLog((record) => record.msg === "shard is up" && record["shard"] === "beta", {
      after: await ambassador.waitForLog((record) => record.msg === "shard is down" && record["shard"] === "beta"),
    });
    const seen = clients.map(({ rounds }) => rounds());
    await until(() => clients.every(({ rounds }, i) => rounds() > seen[i]! + 5), { timeoutMs: 20_000 });
    for (const { stop } of clients) stop();
    await Promise.all(clients.map(async ({ done }) => expect(await done).toBeUndefined()));
  });

  test("by default the keys of a killed shard go to others", async () => {
    const { shards, ambassador } = await startAll();
    await shards[2]!.kill();
    await ambassador.waitForLog((record) => String(record.msg).startsWith("shard is ejected"));
    expect(await exchange(ambassador.port, store)).toBe("STORED\r\n".repeat(KEYS.length));
    expect((await exchange(ambassador.port, `get ${KEYS.join(" ")}\r\n`)).match(/^VALUE /gm)).toHaveLength(KEYS.length);
  });
});
