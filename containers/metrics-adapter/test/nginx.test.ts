// Beside a real nginx: the same as nginx-prometheus-exporter.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseMetrics, request, requirePrograms, startApp, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { compare } from "./comparison.ts";
import { freePort, startProgram } from "./programs.ts";

const programs = requirePrograms("nginx", "prometheus-nginx-exporter");

async function startNginx(): Promise<{ url: string; socket: string }> {
  const [folder, port] = [tempDir(cleanup), await freePort()];
  const socket = join(folder, "nginx.sock");
  const file = join(folder, "nginx.conf");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log stderr; worker_processes 1;
events {}
http { access_log off; ${paths.join(" ")}
  server { listen 127.0.0.1:${port}; listen unix:${socket}; location /stub_status { stub_status; } location / { return 200 ok; } } }
`,
  );
  await startProgram(programs.path("nginx"), ["-c", file, "-p", folder], { port, cleanup });
  return { url: `http://127.0.0.1:${port}/stub_status`, socket };
}

describe.skipIf(programs.skip)(programs.title("beside nginx-prometheus-exporter"), () => {
  test("nginx is shown with the same names, types and values", async () => {
    const { url } = await startNginx();
    const port = await freePort();
    const args = ["-nginx.scrape-uri", url, "-web.listen-address", `127.0.0.1:${port}`];
    await startProgram(programs.path("prometheus-nginx-exporter"), args, { port, cleanup });
    const adapter = await startAdapter(cleanup, { args: ["--nginx"], env: { SCRAPE_URI: url } });
    const before = await adapter.page();
    const theirs = parseMetrics((await request({ host: "127.0.0.1", port }, "/metrics")).body);
    const after = await adapter.page();
    const compared = compare({ before, theirs, after }, { file: "nginx.txt", only: /^nginx/ });
    expect(compared).toEqual({ unexplained: [], stale: [] });
  });

  test("it is asked over a Unix socket as well", async () => {
    const { socket } = await startNginx();
    const adapter = await startAdapter(cleanup, { args: ["--nginx", "--nginx-url", `unix:${socket}:/stub_status`] });
    expect((await adapter.page()).value("nginx_connections_active")).toBe(1);
  });
});

test("another page, and another status, are failures", async () => {
  const app = await startApp(
    (incoming, response) => response.writeHead(incoming.url === "/404" ? 404 : 200).end("hello"),
    { cleanup },
  );
  for (const [path, reason] of [
    ["/", "expected the page of stub_status"],
    ["/404", "expected status 2xx, got 404"],
  ]) {
    const adapter = await startAdapter(cleanup, { args: ["--nginx", "--nginx-url", `http://${app.address}${path}`] });
    expect((await adapter.page()).value("nginx_up")).toBe(0);
    expect(await adapter.waitForLog("source cannot be read")).toMatchObject({
      error: expect.stringContaining(reason!),
    });
  }
});
