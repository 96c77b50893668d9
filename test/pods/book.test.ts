// The pods of "Designing Distributed Systems" with our images in the place of the author's, and with his parameters.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createCertificateAuthority, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { fetchTls } from "./fetch-tls.ts";
import { startPod } from "./pod.ts";
import { podman, requirePodman } from "./podman.ts";
import { startShards } from "./shards.ts";

const needs = requirePodman();
const book = (name: string): string => readFileSync(join(import.meta.dirname, "book", name), "utf8");

/** The book's own file: https://github.com/brendandburns/designing-distributed-systems, ambassadors/nutcracker.yaml. */
const nutcracker = (hosts: readonly string[]): string => `redis:
  listen: 127.0.0.1:6379
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  redis: true
  timeout: 400
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
${hosts.map((host) => `   - ${host}:6379:1`).join("\n")}
`;

describe.skipIf(needs.skip)(needs.title("the book's pod"), () => {
  test("adds HTTPS to a legacy service, by PROXY_PORT and CERTIFICATE_PATH", async () => {
    const authority = await createCertificateAuthority();
    const { cert, key } = await authority.issue({ dns: ["legacy.example"] });
    const contents = { certificate: { "cert.crt": cert, "cert.key": key } };
    const pod = await startPod({ text: book("https.yaml"), contents, cleanup });
    await pod.ready("ssl");
    const target = { host: pod.ip, port: 8443, name: "legacy.example", ca: authority.pem };
    expect(await fetchTls({ ...target, path: "/index.html" })).toMatchObject({ status: 200, body: "legacy\n" });
    await expect(pod.get(8080, "/")).rejects.toThrow("ECONNREFUSED");
    expect(await pod.stop("ssl")).toBe(0);
  });

  test("spreads keys by twemproxy's own nutcracker.yaml, from a ConfigMap at /etc/config", async () => {
    const hosts = ["sharded-redis-0.redis", "sharded-redis-1.redis", "sharded-redis-2.redis"];
    const network = await startShards(hosts, cleanup);
    const contents = { "twem-config": { "nutcracker.yaml": nutcracker(hosts) } };
    const pod = await startPod({ text: book("twemproxy.yaml"), contents, network, cleanup });
    await pod.ready("twemproxy");
    // Where the real twemproxy has these keys: computed by its own code for this very configuration.
    const owners = { "user:1": 0, "user:1000": 1, bar: 0, foo: 0, a: 1 };
    for (const [key, owner] of Object.entries(owners)) {
      await pod.exec("app", "redis-cli", "-h", "localhost", "SET", key, "here");
      expect(await podman("exec", `${network}-${hosts[owner]}`, "redis-cli", "GET", key)).toBe("here");
    }
    expect(await pod.stop("twemproxy")).toBe(0);
  });

  test("shows Redis to Prometheus on port 9121", async () => {
    const pod = await startPod({ text: book("metrics.yaml"), cleanup });
    await until(async () => (await pod.get(9121, "/metrics")).body.includes("\nredis_up 1\n"), { timeoutMs: 20_000 });
    expect((await pod.get(9121, "/metrics")).body).toMatch(/^redis_instance_info\{.*redis_version="7/m);
    expect(await pod.stop("adapter")).toBe(0);
  });

  test("gives Redis' slow queries as records, each with its own time", async () => {
    const pod = await startPod({ text: book("slowlog.yaml"), cleanup });
    await pod.ready("adapter");
    await pod.exec("redis", "redis-cli", "SET", "slow", "query");
    const line = await until(
      async () => (await pod.logs("adapter")).split("\n").find((text) => /"SET","slow"|SET slow/.test(text)),
      { timeoutMs: 20_000, describe: "the slow query among the records" },
    );
    const { Timestamp } = JSON.parse(line) as { Timestamp: string };
    expect(Math.abs(Date.parse(Timestamp) - Date.now())).toBeLessThan(60_000);
    expect(await pod.stop("adapter")).toBe(0);
  });

  test("brings changed configuration to a legacy service every UPDATE_FREQUENCY seconds, and signals it", async () => {
    const pod = await startPod({ text: book("configuration.yaml"), cleanup });
    const file = join(pod.paths["configuration"]!, "app.conf");
    writeFileSync(file, "mode=old\n");
    await until(async () => (await pod.logs("app")).includes("configured: mode=old"), { timeoutMs: 20_000 });
    writeFileSync(file, "mode=new\n");
    await until(async () => (await pod.logs("app")).includes("configured: mode=new"), { timeoutMs: 20_000 });
    const told = (await pod.logs("app")).split("\n").filter((line) => line.includes("mode=new"));
    expect(told).toHaveLength(1);
    expect(await pod.stop("manager")).toBe(0);
  });
});
