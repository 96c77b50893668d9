import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { createCertificateAuthority, startRawServer, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { redisServer, startRedisServer } from "../test/redis-server.ts";
import type { RedisConnection, RedisSettings } from "./index.ts";
import { connectRedis } from "./index.ts";

async function open(settings: Partial<RedisSettings> & Pick<RedisSettings, "address">): Promise<RedisConnection> {
  const connection = await connectRedis({ timeoutMs: 5000, maxReplyBytes: 1_000_000, ...settings });
  cleanup(connection.close);
  return connection;
}
const local = (port: number): RedisSettings["address"] => ({ host: "127.0.0.1", port });

describe.skipIf(redisServer.skip)(redisServer.title("with a real redis-server"), () => {
  test.each([2, 3] as const)(
    "commands are answered in order over RESP%i, however many are on the way",
    async (protocol) => {
      const { port } = await startRedisServer(cleanup);
      const redis = await open({ address: local(port), protocol });
      const replies = await Promise.all([...Array(500).keys()].map((at) => redis.command("ECHO", at)));
      expect(replies).toEqual([...Array(500).keys()].map(String));
      await redis.command("HSET", "hash", "field", "a\r\nb");
      const hash = await redis.command("HGETALL", "hash");
      expect(hash).toEqual(protocol === 2 ? ["field", "a\r\nb"] : new Map([["field", "a\r\nb"]]));
      expect(await redis.command("INFO")).toMatch(/# Server\r\n/);
    },
  );

  test("an error of the server rejects its own command only", async () => {
    const { path } = await startRedisServer(cleanup);
    const redis = await open({ address: { path } });
    const wrong = redis.command("NONSENSE");
    await expect(wrong).rejects.toMatchObject({ name: "RedisError", code: "ERR" });
    expect(await redis.command("PING")).toBe("PONG");
  });

  test("a password, and an ACL user, are needed and used", async () => {
    const { port } = await startRedisServer(cleanup, ["--requirepass", "s3cret"]);
    await expect((await open({ address: local(port) })).command("INFO")).rejects.toMatchObject({ code: "NOAUTH" });
    const admin = await open({ address: local(port), password: "s3cret" });
    expect(await admin.command("ACL", "SETUSER", "watcher", "on", ">other", "+info")).toBe("OK");
    for (const protocol of [2, 3] as const) {
      const watcher = await open({ address: local(port), username: "watcher", password: "other", protocol });
      expect(String(await watcher.command("INFO", "server"))).toContain("redis_version");
      await expect(watcher.command("CONFIG", "GET", "*")).rejects.toMatchObject({ code: "NOPERM" });
    }
    await expect(open({ address: local(port), password: "wrong" })).rejects.toMatchObject({ code: "WRONGPASS" });
  });

  test("over TLS the server has to be of the authority, and gets the client's certificate", async () => {
    const folder = tempDir(cleanup);
    const authority = await createCertificateAuthority({ name: "authority" });
    const [server, client] = [
      await authority.issue({ dns: ["localhost"] }),
      await authority.issue({ commonName: "client", usage: ["client"] }),
    ];
    const files = { "ca.crt": authority.pem, "tls.crt": server.cert, "tls.key": server.key };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const file = (name: string): string => join(folder, name);
    const plain = await startRedisServer(cleanup);
    const tlsPort = await startRedisServer(cleanup, [
      "--tls-cert-file",
      file("tls.crt"),
      "--tls-key-file",
      file("tls.key"),
      "--tls-ca-cert-file",
      file("ca.crt"),
    ]);
    const redis = await open({ address: local(tlsPort.port) });
    await redis.command("CONFIG", "SET", "port", 0);
    await redis.command("CONFIG", "SET", "tls-port", tlsPort.port);
    const tls = { ca: authority.pem, cert: client.cert, key: client.key, serverName: "localhost" };
    expect(await (await open({ address: local(tlsPort.port), tls })).command("PING")).toBe("PONG");
    const stranger = await createCertificateAuthority({ name: "stranger" });
    await expect(open({ address: local(tlsPort.port), tls: { ...tls, ca: stranger.pem } })).rejects.toThrow(
      /signature|certificate/i,
    );
    await expect(open({ address: local(plain.port), tls, timeoutMs: 200 })).rejects.toThrow(/127\.0\.0\.1:\d+: /);
  });
});

describe("a server that is not as it should be", () => {
  test("one that is not there is named with its address", async () => {
    const gone = await startRawServer(() => {}, { cleanup });
    await gone.close();
    await expect(open({ address: local(gone.port) })).rejects.toThrow(`127.0.0.1:${gone.port}: connect ECONNREFUSED`);
  });

  test("one that does not answer is given up after the time, and what waits behind it too", async () => {
    const silent = await startRawServer(() => {}, { cleanup });
    const redis = await open({ address: local(silent.port), timeoutMs: 50 });
    const both = await Promise.allSettled([redis.command("PING"), redis.command("INFO")]);
    expect(both.map((each) => String((each as PromiseRejectedResult).reason))).toEqual(
      Array(2).fill("Error: no reply within 50 ms"),
    );
    await expect(redis.command("PING")).rejects.toThrow("no reply within 50 ms");
  });

  test("one that answers too much, nonsense, or unasked is given up", async () => {
    const answers = async (text: string): Promise<unknown> => {
      const server = await startRawServer((socket) => socket.once("data", () => socket.write(text)), { cleanup });
      const redis = await open({ address: local(server.port), maxReplyBytes: 1000 });
      return redis.command("INFO").then(() => redis.command("INFO"));
    };
    await expect(answers("$5000\r\n")).rejects.toThrow("at most 1000 bytes");
    await expect(answers("HTTP/1.1 400 Bad Request\r\n")).rejects.toThrow("expected a type of RESP2 or RESP3");
    await expect(answers("+OK\r\n+OK\r\n")).rejects.toThrow("expected none, got one");
  });

  test("one that closes, and a caller who gives up, reject what waits", async () => {
    const closing = await startRawServer((socket) => socket.once("data", () => socket.end()), { cleanup });
    await expect((await open({ address: local(closing.port) })).command("PING")).rejects.toThrow(
      "the server closed the connection",
    );
    const silent = await startRawServer(() => {}, { cleanup });
    const controller = new AbortController();
    const redis = await open({ address: local(silent.port), signal: controller.signal });
    const waiting = redis.command("PING");
    controller.abort();
    await expect(waiting).rejects.toThrow("aborted");
    await expect(open({ address: local(silent.port), signal: controller.signal })).rejects.toThrow("aborted");
  });
});
