// C5 to C8 of the container contract: what a container shows of itself.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import { commonMetrics, isClosed, seriesOf } from "@outrigger/runtime";
import type { MetricTable } from "@outrigger/runtime";
import { request, requirePrograms } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { containerFolder } from "../../scripts/containers.ts";
import { start, subjects } from "./subject.ts";
import type { Subject } from "./subject.ts";

const promtool = requirePrograms("promtool");
const ADMIN_PORTS: Record<string, number> = {
  "tls-sidecar": 9910,
  "shard-ambassador": 9911,
  "metrics-adapter": 9912,
  "log-adapter": 9913,
  "config-sync": 9914,
};

describe.each(subjects)("$name", (subject: Subject) => {
  test("C5 the admin server has a port of its own", () => {
    const { adminPort } = subject.container;
    expect(adminPort).toBe(ADMIN_PORTS[subject.name] ?? adminPort);
    expect(subjects.filter((other) => other.container.adminPort === adminPort)).toEqual([subject]);
    expect(subject.table["adminListen"]!.default).toBe(`0.0.0.0:${adminPort}`);
  });

  test("C5 the admin server answers on every common path and describes each in /openapi.json", async () => {
    const container = await start(subject, cleanup);
    const paths = ["/livez", "/readyz", "/startupz", "/metrics", "/version", "/openapi.json", "/api/v1/status"];
    for (const path of paths) expect.soft((await container.admin(path)).status, path).toBe(200);
    const { paths: described } = JSON.parse((await container.admin("/openapi.json")).body) as {
      paths: Record<string, Record<string, { summary?: string }>>;
    };
    for (const path of paths) expect.soft(described[path]?.["get"]?.summary, path).toBeTruthy();
    for (const path of ["/api/v1/reload", "/api/v1/shutdown"]) {
      expect.soft(described[path]?.["post"]?.summary, path).toBeTruthy();
    }
    expect(JSON.parse((await container.admin("/version")).body)).toMatchObject({
      name: subject.name,
      version: subject.container.version,
    });
    expect((await container.admin("/no/such/path")).status).toBe(404);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;

  test.skipIf(outside === undefined)("C5 changing requests are refused from anywhere but loopback", async () => {
    const container = await start(subject, cleanup, ["--admin-listen", "0.0.0.0:0"]);
    const bound = parseAddress(await container.address("admin"), "127.0.0.1") as { port: number };
    for (const path of ["/api/v1/reload", "/api/v1/shutdown"]) {
      const answer = await request({ host: outside!, port: bound.port }, path, { method: "POST" });
      expect(answer.status).toBe(403);
      expect(answer.body).toContain("--admin-token-file");
    }
    expect((await request({ host: outside!, port: bound.port }, "/readyz")).status).toBe(200);
    expect(
      (await container.metrics()).value("outrigger_admin_requests_refused_total", { reason: "not_loopback" }),
    ).toBe(2);
    expect((await container.admin("/api/v1/reload", { method: "POST" })).status).toBe(200);
  });

  test("C6 every metric of the tables is there at the first scrape, with HELP and TYPE", async () => {
    const container = await start(subject, cleanup);
    const { body } = await container.admin("/metrics");
    const tables: MetricTable[] = [subject.container.metrics, commonMetrics];
    for (const metric of tables.flatMap((table) => Object.values(table))) {
      expect.soft(body).toContain(`# HELP ${metric.name} ${metric.help}\n`);
      expect.soft(body).toContain(`# TYPE ${metric.name} ${metric.type}\n`);
      if (!isClosed(metric)) continue;
      for (const labels of seriesOf(metric)) {
        const suffix = metric.type === "histogram" ? "_count" : "";
        const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
        const series = `${metric.name}${suffix}${text.length > 0 ? `{${text.join(",")}}` : ""} `;
        expect.soft(body).toContain(`\n${series}`);
      }
    }
  });

  test.skipIf(promtool.skip)(promtool.title("C6 promtool finds nothing to criticise"), async () => {
    const container = await start(subject, cleanup);
    const { body } = await container.admin("/metrics");
    const said = execFileSync(promtool.path("promtool"), ["check", "metrics"], { input: body, stdio: "pipe" });
    expect(String(said)).toBe("");
  });

  test("C7 logs are one JSON object a line on stderr, and stdout is for data", async () => {
    const container = await start(subject, cleanup, ["--log-level", "debug"]);
    await container.stop();
    const lines = container.rawStderr().trim().split("\n");
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const record = JSON.parse(line) as Record<string, unknown>;
      expect(record).toMatchObject({ container: subject.name, msg: expect.any(String), level: expect.any(String) });
      expect(new Date(record["time"] as string).toISOString()).toBe(record["time"]);
    }
    expect(container.stdout()).toBe("");
  });

  test("C15 its bundle adds less than 2 MiB to an image", () => {
    expect(statSync(join(containerFolder(subject.name), "dist", "main.mjs")).size).toBeLessThan(2 * 1024 ** 2);
  });

  test("C8 the README says under The contract what the container touches", () => {
    const readme = readFileSync(join(containerFolder(subject.name), "README.md"), "utf8");
    const contract = /^## The contract$([^]*?)^## /m.exec(readme)?.[1] ?? "";
    for (const word of ["Ports", "Files read", "Files written", "Signals", "Outbound calls", "Exit codes"]) {
      expect.soft(contract, word).toMatch(new RegExp(word, "i"));
    }
  });
});
