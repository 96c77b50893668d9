// The recipes of charts/README.md, rendered by Helm from exactly that text, run by podman and driven from outside. Podman
// has no native sidecars: the charts are told that the cluster has none.
import { readFileSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";

import { createCertificateAuthority, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";
import { stringify } from "yaml";

import { createRepository, startGitHttp } from "../../containers/config-sync/test/git-server.ts";
import { whyNoHelm } from "../../scripts/charts/tools.ts";
import { root } from "../../scripts/tools.ts";
import { openHelm } from "../charts/helm.ts";
import { fetchTls } from "./fetch-tls.ts";
import { startPod } from "./pod.ts";
import type { PodSettings, RunningPod } from "./pod.ts";
import { podman, requirePodman, tryPodman } from "./podman.ts";
import { expectLeastPrivilege, expectMemoryKept } from "./privilege.ts";

const needs = requirePodman();

/** Starts the pod that a recipe makes. */
async function startRecipe(name: string, settings: Partial<PodSettings> = {}): Promise<RunningPod> {
  const helm = openHelm(3, cleanup);
  const values = readFileSync(join(root, "charts/recipes", `${name}.yaml`), "utf8");
  const { pod } = await helm.render(values, { kube: "1.28.0" });
  const text = stringify({ apiVersion: "v1", kind: "Pod", ...pod, metadata: { name: "my-app" } });
  return startPod({ text, cleanup, ...settings });
}

async function expectGoodCitizen(pod: RunningPod, container: string): Promise<void> {
  await expectLeastPrivilege(pod, container);
  await expectMemoryKept(pod, container);
  expect(await pod.stop(container)).toBe(0);
}

/** A network with one container in it, so that its gateway is there; resolves with its name. */
async function createNetwork(): Promise<string> {
  const network = `outrigger-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  await podman("network", "create", network);
  cleanup(async () => void (await tryPodman("network", "rm", "--force", network)));
  return network;
}

async function runIn(network: string, name: string, ...command: readonly string[]): Promise<void> {
  const full = `${network}-${name}`;
  cleanup(async () => void (await tryPodman("rm", "--force", "--time", "0", full)));
  await podman("run", "--detach", "--network", network, "--network-alias", `${name}.redis`, "--name", full, ...command);
}

/** The records that the log adapter of a pod has written. */
async function recordsOf(pod: RunningPod, holding: string): Promise<Record<string, unknown>[]> {
  const lines = (await pod.logs("log-adapter")).split("\n");
  return lines.filter((line) => line.includes(holding)).map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.skipIf(needs.skip || whyNoHelm() !== undefined)(needs.title("the recipe"), () => {
  test("https gives an old service HTTPS", async () => {
    const authority = await createCertificateAuthority();
    const { cert, key } = await authority.issue({ dns: ["my-app.example"] });
    const pod = await startRecipe("https", { contents: { "my-app-tls": { "tls.crt": cert, "tls.key": key } } });
    await pod.ready("tls-sidecar");
    const target = { host: pod.ip, port: 8443, name: "my-app.example", ca: authority.pem, path: "/index.html" };
    expect(await fetchTls(target)).toMatchObject({ status: 200, body: "a page of the application\n" });
    await expect(pod.get(8000, "/")).rejects.toThrow("ECONNREFUSED");
    await expectGoodCitizen(pod, "tls-sidecar");
  });

  test("sharded-cache spreads keys over three Redis", async () => {
    const network = await createNetwork();
    for (const name of ["redis-0", "redis-1", "redis-2"]) await runIn(network, name, "redis:7");
    const pod = await startRecipe("sharded-cache", { network });
    await pod.ready("shard-ambassador");
    const { shard } = (await pod.get(9911, "/api/v1/route?key=visits")).json() as { shard: string };
    const visits = (one: string): Promise<string> => podman("exec", `${network}-${one}`, "redis-cli", "GET", "visits");
    await until(async () => Number(await visits(shard)) > 1, {
      describe: "the application to count",
      timeoutMs: 15_000,
    });
    await expectGoodCitizen(pod, "shard-ambassador");
  });

  test("redis shows metrics, and slow commands as records", async () => {
    const pod = await startRecipe("redis");
    await pod.ready("metrics-adapter");
    await pod.ready("log-adapter");
    await until(async () => (await pod.get(9121, "/metrics")).body.includes("\nredis_up 1\n"), { timeoutMs: 15_000 });
    const slow = "local x = 0 for i = 1, 30000000 do x = x + i end return 'was slow'";
    await pod.exec("app", "redis-cli", "EVAL", slow, "0");
    const [record] = await until(async () => {
      const records = await recordsOf(pod, "was slow");
      return records.length > 0 && records;
    });
    expect(record).toMatchObject({ Resource: { "service.name": "my-app" } });
    await expectGoodCitizen(pod, "metrics-adapter");
    await expectGoodCitizen(pod, "log-adapter");
  });

  test("logs gives the logs of nginx in one shape, without secrets", async () => {
    const pod = await startRecipe("logs");
    await pod.ready("log-adapter");
    await until(async () => (await pod.get(8080, "/?asked=for&password=opensesame")).status === 200);
    const [record] = await until(async () => {
      const records = await recordsOf(pod, "asked=for");
      return records.length > 0 && records;
    });
    expect(record).toMatchObject({ Resource: { "service.name": "my-app" } });
    expect(JSON.stringify(record)).not.toContain("opensesame");
    await expectGoodCitizen(pod, "log-adapter");
  });

  test("git brings nginx what is committed, and takes back what is not good", { timeout: 240_000 }, async () => {
    const network = await createNetwork();
    await runIn(network, "idle", "busybox:1.37", "sleep", "600");
    const repository = createRepository(cleanup);
    symlinkSync("repo.git", join(repository.root, "site.git"));
    const commit = (text: string, health = 200): unknown =>
      repository.commit({
        "nginx/version": `${text}\n`,
        "nginx/default.conf": `server { listen 8080; location = /healthz { return ${health} ${text}; } location / { return 200 ${text}; } }\n`,
      });
    commit("first");
    const { ca, gateway } = await serveGit(network, await startGitHttp(repository, "a-token", cleanup));
    const pod = await startRecipe("git", {
      network,
      contents: { "my-app-git": { token: "a-token", "ca.crt": ca } },
      change: ({ spec }) => void (spec["hostAliases"] = [{ ip: gateway, hostnames: ["git.example.com"] }]),
    });
    const serves = (text: string): Promise<unknown> =>
      until(async () => (await pod.get(8080, "/")).body === text, {
        describe: `nginx to serve ${text}`,
        timeoutMs: 30_000,
      });
    await serves("first");
    await pod.ready("config-sync");
    commit("second");
    await serves("second");
    commit("third", 503);
    await until(async () => (await pod.get(9914, "/metrics")).body.match(/config_sync_rollbacks_total\S* [1-9]/), {
      describe: "config-sync to take it back",
      timeoutMs: 60_000,
    });
    await serves("second");
    await expectGoodCitizen(pod, "config-sync");
  });
});

/** Serves what answers at `url` as https://git.example.com to the pods of the network: at its gateway, this machine. */
async function serveGit(network: string, { url }: { url: string }): Promise<{ ca: string; gateway: string }> {
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue({ dns: ["git.example.com"] });
  const gateway = (await podman("network", "inspect", "--format", "{{(index .Subnets 0).Gateway}}", network)).trim();
  const open = new Set<Socket>();
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (client) => {
    const { hostname, port } = new URL(url);
    const behind = connect(Number(port), hostname);
    for (const socket of [client, behind]) open.add(socket.on("error", () => socket.destroy()));
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(443, gateway, resolve));
  cleanup(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { ca: authority.pem, gateway };
}
