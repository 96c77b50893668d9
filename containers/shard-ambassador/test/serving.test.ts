import { freePort, until } from "@outrigger/testing";
// What an application sees: one Redis, whatever stands behind it.
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createClient, createRawClient, NAMES, startAll, startAmbassador, startDelay } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

describe.skipIf(redisServer.skip)(redisServer.title("in front of four redis-servers"), () => {
  test("each key is on exactly one shard, and on the one that the ambassador names", async () => {
    const { shards, ambassador } = await startAll(cleanup);
    const client = createClient(ambassador.port, cleanup);
    const keys = Array.from({ length: 200 }, (_, i) => `user:${i}`);
    await Promise.all(keys.map((key) => client.set(key, `value of ${key}`)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys.map((key) => `value of ${key}`));
    const held = await Promise.all(shards.map(({ port }) => createClient(port, cleanup).keys("*")));
    expect(held.flat().sort()).toEqual(keys.toSorted());
    for (const [i, all] of held.entries()) {
      expect(all.length).toBeGreaterThan(20);
      const [name, address] = (await client.call("OUTRIGGER", "ROUTE", all[0]!)) as [string, string];
      expect([name, address]).toEqual([NAMES[i], `127.0.0.1:${shards[i]!.port}`]);
      const { status, body } = await ambassador.admin(`/api/v1/route?key=${encodeURIComponent(all[0]!)}`);
      expect([status, JSON.parse(body)]).toEqual([200, { key: all[0], shard: name, address }]);
    }
  });

  test("commands over keys of several shards are split, and the replies merged", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createClient(ambassador.port, cleanup);
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`);
    expect(await client.mset(Object.fromEntries(keys.map((key) => [key, key.toUpperCase()])))).toBe("OK");
    expect(await client.mget(...keys, "none")).toEqual([...keys.map((key) => key.toUpperCase()), null]);
    expect(await client.exists(...keys, "none", "k0")).toBe(31);
    expect(await client.touch(...keys, "none")).toBe(30);
    expect(await client.del("k0", "k1", "k2", "none")).toBe(3);
    expect(await client.unlink(...keys)).toBe(27);
  });

  test("other commands need their keys on one shard, and a hash tag keeps them there", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createClient(ambassador.port, cleanup);
    const apart = Array.from({ length: 20 }, (_, i) => `set:${i}`);
    await expect(client.sinter(...apart)).rejects.toThrow(/^CROSSSHARD .*user:\{7\}:name and user:\{7\}:mail/);
    await client.sadd("{set}:1", "a", "b");
    await client.sadd("{set}:2", "b", "c");
    expect(await client.sinter("{set}:1", "{set}:2")).toEqual(["b"]);
    expect(await client.eval("return redis.call('SCARD', KEYS[1])", 1, "{set}:1")).toBe(2);
    const metrics = await ambassador.metrics();
    expect(metrics.value("shard_ambassador_requests_refused_total", { reason: "cross_shard" })).toBe(1);
  });

  test("what concerns the connection is answered, and what cannot be served is refused by name", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createRawClient(ambassador.port, cleanup);
    const exchange: [string[], string | RegExp][] = [
      [["PING"], "+PONG\r\n"],
      [["ping", "hi"], "$2\r\nhi\r\n"],
      [["ECHO", "a\r\nb"], "$4\r\na\r\nb\r\n"],
      [["SELECT", "0"], "+OK\r\n"],
      [["SELECT", "1"], /^-ERR DB index is out of range/],
      [["COMMAND", "DOCS"], "*0\r\n"],
      [["CLIENT", "SETNAME", "me"], "+OK\r\n"],
      [["CLIENT", "GETNAME"], "$2\r\nme\r\n"],
      [["CLIENT", "KILL"], /^-ERR unknown subcommand 'kill'/],
      [["HELLO", "4"], /^-NOPROTO /],
      [["HELLO"], /^\*14\r\n\$6\r\nserver\r\n/],
      [["HELLO", "3"], /^%7\r\n\$6\r\nserver\r\n/],
      [["HSET", "h", "a", "1"], ":1\r\n"],
      [["HGETALL", "h"], "%1\r\n$1\r\na\r\n$1\r\n1\r\n"],
      [["HELLO", "2"], /^\*14\r\n/],
      [["HGETALL", "h"], "*2\r\n$1\r\na\r\n$1\r\n1\r\n"],
      [["NOSUCH\r\nTHING"], "-ERR unknown command 'NOSUCH??THING'\r\n"],
      [["KEYS", "*"], /^-ERR 'keys' concerns a whole server/],
      [["BLPOP", "a", "0"], /^-ERR 'blpop' would wait/],
      [["GET"], "-ERR wrong number of arguments for 'get' command\r\n"],
      [["MSET", "a"], "-ERR wrong number of arguments for 'mset' command\r\n"],
      [["INCR", "h"], /^-WRONGTYPE /],
      [["QUIT"], "+OK\r\n"],
    ];
    for (const [args, expected] of exchange) {
      const before = client.replies.length;
      client.socket.write(command(...args));
      await until(() => client.replies.length > before, { describe: args.join(" ") });
      if (typeof expected === "string") expect.soft(client.replies.at(-1), args.join(" ")).toBe(expected);
      else expect.soft(client.replies.at(-1), args.join(" ")).toMatch(expected);
    }
    await until(() => client.ended());
  });

  test("values of any size and bytes pass, in pieces of any size", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createClient(ambassador.port, cleanup);
    const large = Buffer.alloc(5_000_000, "\r\n$3\r\n*1\0ÿ");
    await client.set("large", large);
    expect((await client.getBuffer("large"))!.equals(large)).toBe(true);
    const sizes = [0, 1, 8191, 8192, 16_384, 16_385, 65_535, 65_536, 200_000];
    await Promise.all(sizes.map((size) => client.set(`size:${size}`, large.subarray(0, size))));
    const back = await Promise.all(sizes.map((size) => client.getBuffer(`size:${size}`)));
    expect(back.map((value, i) => value!.equals(large.subarray(0, sizes[i])))).toEqual(sizes.map(() => true));
  });

  test("bytes that no client would send one by one are understood all the same", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createRawClient(ambassador.port, cleanup);
    for (const byte of command("SET", "slow", "value") + command("GET", "slow")) {
      client.socket.write(byte);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    await until(() => client.replies.length === 2);
    expect(client.replies).toEqual(["+OK\r\n", "$5\r\nvalue\r\n"]);
  });

  test("a client that has ended its side still gets its replies", async () => {
    const { ambassador } = await startAll(cleanup);
    const client = createRawClient(ambassador.port, cleanup);
    client.socket.end(command("SET", "a", "1") + command("GET", "a"));
    await until(() => client.ended());
    expect(client.replies).toEqual(["+OK\r\n", "$1\r\n1\r\n"]);
  });
});

describe.skipIf(redisServer.skip)(redisServer.title("with shards of different speed"), () => {
  test("pipelined replies come in the order of the commands, and to the client that sent them", async () => {
    const shards = await Promise.all(
      NAMES.map(async () => {
        const { port } = await startRedis(cleanup, await freePort());
        return startDelay(port, () => Math.random() * 4, cleanup);
      }),
    );
    const ambassador = await startAmbassador(shards, { cleanup, args: ["--timeout", "20s"] });
    const clients = Array.from({ length: 8 }, () => createRawClient(ambassador.port, cleanup));
    const count = 5000;
    const sent = clients.map((_, client) =>
      Array.from({ length: count }, (_, i) => ({ key: `${client}:${i % 97}`, value: `${client}/${i}` })),
    );
    // Each command's reply tells the client and the number of the command before it on the same key.
    clients.forEach(({ socket }, i) => {
      socket.write(sent[i]!.map(({ key, value }) => command("GETSET", key, value)).join(""));
    });
    await until(() => clients.every(({ replies }) => replies.length === count), { timeoutMs: 20_000 });
    clients.forEach(({ replies }, i) => {
      const last = new Map<string, string>();
      const expected = sent[i]!.map(({ key, value }) => {
        const before = last.get(key);
        last.set(key, value);
        return before === undefined ? "$-1\r\n" : `$${before.length}\r\n${before}\r\n`;
      });
      expect(replies).toEqual(expected);
    });
  });
});
