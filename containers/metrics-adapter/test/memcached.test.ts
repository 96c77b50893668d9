// Beside a real memcached, with memcached_exporter's names.
import { connect } from "node:net";

import { rawExchange, requirePrograms, startRawServer } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { freePort, startProgram } from "./programs.ts";

const memcached = requirePrograms("memcached");

describe.skipIf(memcached.skip)(memcached.title("beside a real memcached"), () => {
  test("commands by what became of them, items, slabs and settings are shown as memcached_exporter has them", async () => {
    const port = await freePort();
    await startProgram(
      memcached.path("memcached"),
      ["-l", "127.0.0.1", "-p", String(port), "-u", "nobody", "-m", "16"],
      { port, cleanup },
    );
    const send =
      "set a 0 0 1\r\nx\r\nset b 0 0 1\r\ny\r\nget a\r\nget nothing\r\ndelete nothing\r\ncas a 0 0 1 999\r\nz\r\nget a\r\nversion\r\n";
    await rawExchange({ socket: connect(port, "127.0.0.1"), send, until: "VERSION" });
    const adapter = await startAdapter(cleanup, { args: ["--memcached", "--memcached-address", `127.0.0.1:${port}`] });
    const { value, text } = await adapter.page();
    expect(value("memcached_up")).toBe(1);
    expect(value("memcached_version")).toBe(1);
    const commands = (command: string, status: string) => value("memcached_commands_total", { command, status });
    expect([commands("get", "hit"), commands("get", "miss"), commands("delete", "miss")]).toEqual([2, 1, 1]);
    expect([commands("set", "hit"), commands("cas", "badval"), commands("flush", "hit")]).toEqual([2, 1, 0]);
    expect([value("memcached_current_items"), value("memcached_items_total"), value("memcached_limit_bytes")]).toEqual([
      2,
      2,
      16 * 2 ** 20,
    ]);
    expect([value("memcached_max_connections"), value("memcached_lru_crawler_enabled")]).toEqual([1024, 1]);
    expect(value("memcached_slab_current_items", { slab: "1" })).toBe(2);
    expect(value("memcached_slab_chunk_size_bytes", { slab: "1" })).toBe(96);
    expect(value("memcached_slab_commands_total", { slab: "1", command: "get", status: "hit" })).toBe(2);
    expect(text).toContain("# TYPE memcached_read_bytes_total counter\n");
    expect(text).toContain("# TYPE memcached_current_connections gauge\n");
    expect((await adapter.metrics()).value("metrics_adapter_series_left_out_total")).toBe(0);
  });
});

test("a server that is no memcached is down", async () => {
  const { address } = await startRawServer((socket) => socket.on("data", () => socket.write("ERROR\r\n".repeat(4))), {
    cleanup,
  });
  const adapter = await startAdapter(cleanup, { args: ["--memcached", "--memcached-address", address] });
  expect((await adapter.page()).value("memcached_up")).toBe(0);
});
