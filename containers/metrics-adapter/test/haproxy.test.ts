// Beside a real HAProxy: the same as haproxy_exporter.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseMetrics, request, requirePrograms, startApp, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { compare } from "./comparison.ts";
import { freePort, startProgram } from "./programs.ts";

const programs = requirePrograms("haproxy", "prometheus-haproxy-exporter");

async function startHaproxy(): Promise<{ port: number; url: string; socket: string }> {
  const app = await startApp(
    (incoming, response) => response.writeHead(incoming.url === "/" ? 200 : 404).end("hello"),
    { cleanup },
  );
  const [folder, port, stats] = [tempDir(cleanup), await freePort(), await freePort()];
  const [file, socket] = [join(folder, "haproxy.cfg"), join(folder, "haproxy.sock")];
  writeFileSync(
    file,
    `global
  stats socket ${socket}
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
frontend stats
  bind 127.0.0.1:${stats}
  stats enable
  stats uri /stats
backend app
  server one ${app.address} check
  server two 127.0.0.1:1 check
`,
  );
  await startProgram(programs.path("haproxy"), ["-f", file], { port, cleanup });
  return { port, url: `http://127.0.0.1:${stats}/stats;csv`, socket };
}

describe.skipIf(programs.skip)(programs.title("beside haproxy_exporter"), () => {
  test("HAProxy is shown with the same names, types, labels and values, over HTTP and its socket", async () => {
    const haproxy = await startHaproxy();
    for (const path of ["/", "/", "/missing"]) await request({ host: "127.0.0.1", port: haproxy.port }, path);
    const port = await freePort();
    const args = [`--haproxy.scrape-uri=${haproxy.url}`, `--web.listen-address=127.0.0.1:${port}`];
    await startProgram(programs.path("prometheus-haproxy-exporter"), args, { port, cleanup });
    for (const url of [haproxy.url, `unix:${haproxy.socket}`]) {
      const adapter = await startAdapter(cleanup, { config: { sources: [{ type: "haproxy", url }] } });
      const before = await adapter.page();
      const theirs = parseMetrics((await request({ host: "127.0.0.1", port }, "/metrics")).body);
      const after = await adapter.page();
      const compared = compare({ before, theirs, after }, { file: "haproxy.txt", only: /^haproxy/ });
      // Over the socket, asking is no request of the statistics' frontend.
      expect(compared.unexplained.filter((line) => !line.includes('frontend="stats"'))).toEqual([]);
      expect(compared.stale).toEqual([]);
      expect(after.value("haproxy_server_http_responses_total", { server: "one", code: "4xx" })).toBe(1);
    }
  });
});
