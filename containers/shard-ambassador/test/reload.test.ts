// The list of shards changes while clients work: none of them notices.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { command, createClient, createRawClient, startAmbassador } from "./ambassador.ts";
import { redisServer, startRedis } from "./programs.ts";

const KEYS = Array.from({ length: 300 }, (_, i) => `key:${i}`);

describe.skipIf(redisServer.skip)(redisServer.title("when the file of options changes"), () => {
  test("new shards get their share, old ones keep theirs, and no client loses a reply", async () => {
    const ports = await Promise.all([0, 1, 2].map(async () => (await startRedis(cleanup)).port));
    const file = join(tempDir(cleanup), "options.yaml");
    const write = (count: number, more = ""): void => {
      const lines = ports.slice(0, count).map((port, i) => `  - 127.0.0.1:${port} shard-${i}`);
      writeFileSync(file, `shards:\n${lines.join("\n")}\n${more}`);
    };
    write(2);
    const ambassador = await startAmbassador([], { cleanup, args: ["--config", file] });
    await ambassador.waitForLog("started");
    const client = createClient(ambassador.port, cleanup);
    await Promise.all(KEYS.map((key) => client.set(key, "old")));

    // A client that never stops, all through the change.
    const busy = createRawClient(ambassador.port, cleanup);
    let sent = 0;
    const send = (): void => void busy.socket.write(command("SET", `busy:${sent % 50}`, String(sent++)));
    busy.socket.on("data", send);
    for (let i = 0; i < 20; i++) send();

    write(3);
    const changed = await ambassador.waitForLog("shards changed");
    expect(changed["moved"]).toBeGreaterThan(0.25);
    expect(changed["moved"]).toBeLessThan(0.42);
    await ambassador.waitForLog((record) => record.msg === "shard is up" && record["shard"] === "shard-2");
    const values = await Promise.all(KEYS.map((key) => client.get(key)));
    const moved = values.filter((value) => value === null).length;
    expect(moved).toBeGreaterThan(60);
    expect(moved).toBeLessThan(140);
    const before = busy.replies.length;
    await until(() => busy.replies.length > before + 100);
    busy.socket.off("data", send);
    await until(() => busy.replies.length === sent);
    expect(busy.replies.every((reply) => reply === "+OK\r\n")).toBe(true);

    write(3, "timeout: 5s\n");
    const refused = await ambassador.waitForLog("reload refused");
    expect(String(refused["reasons"])).toContain("timeout: expected to stay as it was until a restart");
    write(1);
    await ambassador.waitForLog("shards changed", { after: refused });
    expect(await client.call("OUTRIGGER", "ROUTE", "key:1")).toEqual(["shard-0", `127.0.0.1:${ports[0]}`]);
    expect(busy.ended()).toBe(false);
  });
});
