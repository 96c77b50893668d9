// Statistics of any text: over HTTP, a socket, from a file and of a command.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startApp, startRawServer, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";

const start = (source: object, flags: readonly string[] = []) =>
  startAdapter(cleanup, { config: { sources: [{ type: "text", ...source }] }, args: flags });

const SHELL = ["--allow-commands", "/bin/sh"];

describe("a text", () => {
  test("of keys and values over a socket is asked for, and shown under the names of its keys", async () => {
    const { address } = await startRawServer(
      (socket) => socket.on("data", (asked) => socket.end(`zk.latency: 0.5\nasked = ${asked.length}\nmode leader\n`)),
      { cleanup },
    );
    const page = await (await start({ address: String(address), send: "mntr\n" })).page();
    expect([page.value("text_zk_latency"), page.value("text_asked")]).toEqual([0.5, 5]);
    expect([page.value("text_up"), page.value("text_unused_lines")]).toEqual([1, 1]);
  });

  test("of CSV over HTTP has columns as values and labels", async () => {
    const csv = '# name,state,queue\r\n"a,b",UP,3\r\nc,DOWN,x\r\n';
    const app = await startApp((_, response) => response.end(csv), { cleanup });
    const metrics = [
      { name: "queue_length", type: "gauge", value: "$queue", labels: { server: "$name" }, scale: 2 },
      { name: "server_up", type: "gauge", value: "$state", labels: { server: "$name" }, valueMap: { UP: 1, DOWN: 0 } },
    ];
    const page = await (await start({ url: `http://${app.address}/`, format: "csv", metrics })).page();
    expect(page.value("queue_length", { server: "a,b" })).toBe(6);
    expect(page.value("queue_length", { server: "c" })).toBeUndefined();
    expect([page.value("server_up", { server: "a,b" }), page.value("server_up", { server: "c" })]).toEqual([1, 0]);
  });

  test("of a file is read anew at each scrape", async () => {
    const file = join(tempDir(cleanup), "stats");
    const metrics = [
      { name: "jobs_total", type: "counter", match: "^jobs (\\w+) (\\d+)", value: "$2", labels: { state: "$1" } },
    ];
    const adapter = await start({ file, format: "regex", metrics });
    expect((await adapter.page()).value("text_up")).toBe(0);
    writeFileSync(file, "jobs done 7\njobs failed 1\n");
    const page = await adapter.page();
    expect([page.value("text_up"), page.value("jobs_total", { state: "done" })]).toEqual([1, 7]);
  });
});

describe("a command", () => {
  test("that is allowed gives its output, without the adapter's environment", async () => {
    const command = ["/bin/sh", "-c", "echo a=1; echo secret=${METRICS_ADAPTER_LOG_LEVEL:-none}; echo b=$0", "2"];
    const page = await (await start({ command }, SHELL)).page();
    expect([page.value("text_a"), page.value("text_b")]).toEqual([1, 2]);
    expect(page.value("text_unused_lines")).toBe(1);
  });

  test("that is not allowed is refused at the start", async () => {
    const started = start({ command: ["/bin/sh", "-c", "true"] }, ["--allow-commands", "/bin/true"]);
    await expect(started).rejects.toThrow("names, got /bin/sh");
  });

  test.each([
    ["fails", "echo a=1; echo broken >&2; exit 3", "got 3: broken"],
    ["writes without an end", "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1; done", "bytes, got more"],
  ])("that %s is a source that is down, and the log says why", async (_, script, why) => {
    const adapter = await start({ command: ["/bin/sh", "-c", script] }, [...SHELL, "--max-body-size", "10k"]);
    expect((await adapter.page()).value("text_up")).toBe(0);
    expect(await adapter.waitForLog("source cannot be read")).toMatchObject({ error: expect.stringContaining(why) });
  });

  test("that does not end is killed within the scraper's time, with all that it has started", async () => {
    const file = join(tempDir(cleanup), "pid");
    const command = ["/bin/sh", "-c", `sleep 1000 & echo $! > ${file}; wait`];
    const adapter = await start({ command }, SHELL);
    const { body } = await adapter.ask("/metrics", { "X-Prometheus-Scrape-Timeout-Seconds": "1.5" });
    expect(body).toContain("\ntext_up 0\n");
    const pid = readFileSync(file, "utf8").trim();
    await until(() => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
  });
});
