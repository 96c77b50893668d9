// Beside a real PHP-FPM, over FastCGI.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { requirePrograms, startRawServer, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { freePort, startProgram } from "./programs.ts";

const php = requirePrograms("php-fpm8.2");

describe.skipIf(php.skip)(php.title("beside a real PHP-FPM"), () => {
  test("its pool is shown as php-fpm_exporter has it, over TCP", async () => {
    const [folder, port] = [tempDir(cleanup), await freePort()];
    const file = join(folder, "fpm.conf");
    writeFileSync(
      file,
      `[global]
daemonize = no
error_log = ${folder}/log
[web]
user = nobody
group = nogroup
listen = 127.0.0.1:${port}
pm = static
pm.max_children = 2
pm.status_path = /status
`,
    );
    await startProgram(php.path("php-fpm8.2"), ["--nodaemonize", "--allow-to-run-as-root", "--fpm-config", file], {
      port,
      cleanup,
    });
    const uri = `tcp://127.0.0.1:${port}/status`;
    const adapter = await startAdapter(cleanup, { config: { sources: [{ type: "php-fpm", uri }] } });
    await adapter.page();
    const { value, text } = await adapter.page();
    const of = (name: string) => value(`phpfpm_${name}`, { pool: "web", scrape_uri: uri });
    expect([value("phpfpm_up"), of("total_processes"), of("max_children_reached")]).toEqual([1, 2, 0]);
    // One of them answers; the other may still be ending the scrape before.
    expect(of("active_processes")).toBeGreaterThanOrEqual(1);
    expect(of("accepted_connections")).toBeGreaterThanOrEqual(2);
    expect(text).toContain("# TYPE phpfpm_max_children_reached counter\n");
  });

  test("a server that speaks no FastCGI is down", async () => {
    const { address } = await startRawServer(
      (socket) => socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      { cleanup },
    );
    const adapter = await startAdapter(cleanup, {
      config: { sources: [{ type: "php-fpm", uri: `tcp://${address}/status` }] },
    });
    expect((await adapter.page()).value("phpfpm_up")).toBe(0);
  });
});
