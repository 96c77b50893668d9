// Every example pod is run as it stands, beside its application, and driven from outside.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { createCertificateAuthority, freePort, request, startProgram, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { fetchTls } from "./fetch-tls.ts";
import { readExample, startPod } from "./pod.ts";
import type { RunningPod } from "./pod.ts";
import { podman, requirePodman } from "./podman.ts";
import { expectLeastPrivilege, expectMemoryKept } from "./privilege.ts";
import { startShards } from "./shards.ts";

const needs = requirePodman();

/** What is true of every container of ours, at the end of its test. */
async function expectGoodCitizen(pod: RunningPod, container: string): Promise<void> {
  await expectLeastPrivilege(pod, container);
  await expectMemoryKept(pod, container);
  expect(await pod.stop(container)).toBe(0);
}

describe.skipIf(needs.skip)(needs.title("the example pod"), () => {
  test("of tls-sidecar gives an old service HTTPS", async () => {
    const authority = await createCertificateAuthority();
    const { cert, key } = await authority.issue({ dns: ["my-app.example"] });
    const contents = { "my-app-tls": { "tls.crt": cert, "tls.key": key } };
    const pod = await startPod({ text: readExample("tls-sidecar"), contents, cleanup });
    await pod.ready("tls-sidecar");
    const fetchPage = (): ReturnType<typeof fetchTls> =>
      fetchTls({ host: pod.ip, port: 8443, name: "my-app.example", ca: authority.pem, path: "/index.html" });
    expect(await fetchPage()).toMatchObject({ status: 200, body: "a page of the application\n" });
    // The application itself is not reached from outside.
    await expect(pod.get(8000, "/")).rejects.toThrow("ECONNREFUSED");
    const renewed = await authority.issue({ dns: ["my-app.example"] });
    await pod.update("my-app-tls", { "tls.crt": renewed.cert, "tls.key": renewed.key });
    await until(async () => (await fetchPage()).fingerprint === renewed.fingerprint, {
      describe: "the renewed certificate to be used",
      timeoutMs: 15_000,
    });
    await expectGoodCitizen(pod, "tls-sidecar");
  });

  test("of log-adapter gives the logs of nginx in one shape", async () => {
    const pod = await startPod({ text: readExample("log-adapter"), cleanup });
    await pod.ready("log-adapter");
    await until(async () => (await pod.get(8080, "/?asked=for")).status === 200);
    const record = await until(async () => {
      const lines = (await pod.logs("log-adapter")).split("\n").filter((line) => line.includes("asked=for"));
      return lines.map((line) => JSON.parse(line) as { SeverityText: string; Attributes: Record<string, unknown> })[0];
    });
    expect(record).toMatchObject({ Resource: { "service.name": "my-app" } });
    expect(JSON.stringify(record)).toContain('"GET"');
    await expectGoodCitizen(pod, "log-adapter");
  });

  test("of metrics-adapter shows Redis to a real Prometheus", async () => {
    const pod = await startPod({ text: readExample("metrics-adapter"), cleanup });
    await pod.ready("metrics-adapter");
    await until(async () => (await pod.get(9121, "/metrics")).body.includes("\nredis_up 1\n"), { timeoutMs: 15_000 });
    await expectScraped(`${pod.ip}:9121`, "redis_up", "1");
    await expectGoodCitizen(pod, "metrics-adapter");
  });

  test("of shard-ambassador spreads the application's keys over three Redis", async () => {
    const network = await startShards(["redis-0.redis", "redis-1.redis", "redis-2.redis"], cleanup);
    const pod = await startPod({ text: readExample("shard-ambassador"), network, cleanup });
    await pod.ready("shard-ambassador");
    const route = await pod.get(9911, "/api/v1/route?key=visits");
    const { shard } = route.json() as { shard: string };
    expect(["redis-0", "redis-1", "redis-2"]).toContain(shard);
    const visits = (one: string): Promise<string> =>
      podman("exec", `${network}-${one}.redis`, "redis-cli", "GET", "visits");
    await until(async () => Number(await visits(shard)) > 1, {
      describe: "the application to count",
      timeoutMs: 15_000,
    });
    for (const other of ["redis-0", "redis-1", "redis-2"].filter((name) => name !== shard)) {
      expect(await visits(other)).toBe("");
    }
    await expectGoodCitizen(pod, "shard-ambassador");
  });

  test("of config-sync brings nginx its configuration, and takes back what it refuses", async () => {
    const configuration = (text: string, health = 200): Record<string, string> => ({
      "default.conf": `server {
        listen 8080;
        location = /healthz { return ${health} "${text}"; }
        location / { return 200 "${text}"; }
      }`,
      version: text,
    });
    const pod = await startPod({
      text: readExample("config-sync"),
      contents: { "my-app": configuration("first") },
      cleanup,
    });
    const serves = (text: string): Promise<unknown> =>
      until(async () => (await pod.get(8080, "/")).body === text, {
        describe: `nginx to serve ${text}`,
        timeoutMs: 20_000,
      });
    await serves("first");
    await pod.ready("config-sync");
    await pod.update("my-app", configuration("second"));
    await serves("second");
    // nginx takes this, and is not healthy with it.
    await pod.update("my-app", configuration("third", 503));
    await until(async () => (await pod.get(9914, "/metrics")).body.match(/config_sync_rollbacks_total\S* [1-9]/), {
      describe: "config-sync to take it back",
      timeoutMs: 30_000,
    });
    await serves("second");
    await expectGoodCitizen(pod, "config-sync");
  });
});

/** Fails unless a Prometheus that scrapes the target finds this value. */
async function expectScraped(target: string, metric: string, value: string): Promise<void> {
  const folder = tempDir(cleanup);
  const port = await freePort();
  writeFileSync(
    join(folder, "prometheus.yml"),
    `scrape_configs: [{ job_name: pod, scrape_interval: 1s, static_configs: [{ targets: ["${target}"] }] }]\n`,
  );
  const args = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  await startProgram("prometheus", args, { port, cleanup });
  const address = { host: "127.0.0.1", port };
  const found = await until(
    async () => {
      const answer = await request(address, `/api/v1/query?query=${metric}`);
      const { data } = answer.json() as { data: { result: { value: [number, string] }[] } };
      return data.result[0]?.value[1];
    },
    { describe: `Prometheus to have ${metric}`, timeoutMs: 20_000 },
  );
  expect(found).toBe(value);
}
