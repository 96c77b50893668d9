// Pods that somebody has written wrongly: what is missing stands in one line of the log and on /readyz, and when it is
// mended the container goes on by itself.
import { chmodSync, chownSync, renameSync } from "node:fs";
import { join } from "node:path";

import { createCertificateAuthority, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { readExample, startPod } from "./pod.ts";
import type { RunningPod } from "./pod.ts";
import { requirePodman } from "./podman.ts";

const needs = requirePodman();

const configuration = (text: string): Record<string, string> => ({
  "default.conf": `server { listen 8080; location / { return 200 "${text}"; } }`,
  version: text,
});

/** Waits until the container says what is wrong, in its log and on /readyz. */
async function saying(pod: RunningPod, container: string, text: RegExp): Promise<void> {
  await until(async () => text.test(await pod.logs(container)), {
    describe: `${container} to log ${text.source}`,
    timeoutMs: 20_000,
  });
  const lines = (await pod.logs(container)).split("\n").filter((line) => text.test(line));
  expect(lines.length).toBeGreaterThan(0);
}

describe.skipIf(needs.skip)(needs.title("a pod"), () => {
  test("without the mount of the certificate ends with the option and the path that is missing", async () => {
    const pod = await startPod({
      text: readExample("tls-sidecar"),
      contents: { "my-app-tls": {} },
      cleanup,
      change: ({ spec }) => {
        spec.containers[0]!["volumeMounts"] = [];
      },
    });
    await saying(
      pod,
      "tls-sidecar",
      /^tls-sidecar: --cert: expected a readable file .*, got \/etc\/certs\/tls\.crt \(ENOENT\)$/m,
    );
  });

  test("whose key nobody but root may read says so, and starts when that is mended", async () => {
    const { cert, key } = await (await createCertificateAuthority()).issue({ dns: ["my-app.example"] });
    const pod = await startPod({
      text: readExample("tls-sidecar"),
      contents: { "my-app-tls": { "tls.crt": cert, "tls.key": key } },
      cleanup,
      change: ({ spec }) => {
        delete spec.securityContext!["fsGroup"];
        spec.volumes!.find(({ name }) => name === "certs")!["secret"] = {
          secretName: "my-app-tls",
          defaultMode: 0o400,
        };
      },
    });
    await saying(
      pod,
      "tls-sidecar",
      /^tls-sidecar: --key: expected a readable file .*, got \/etc\/certs\/tls\.key \(EACCES\)$/m,
    );
    for (const name of ["tls.crt", "tls.key"]) chownSync(join(pod.paths["certs"]!, "..data", name), 65532, 65532);
    // The cluster starts it again, as podman does.
    await pod.ready("tls-sidecar");
  });

  test("whose target folder is read-only says so, and publishes when it is mended", async () => {
    const pod = await startPod({
      text: readExample("config-sync"),
      contents: { "my-app": configuration("served") },
      cleanup,
      change: ({ spec }) => {
        delete spec.initContainers;
      },
      prepare: (paths) => {
        chmodSync(paths["published"]!, 0o555);
        chownSync(paths["published"]!, 0, 0);
      },
    });
    await saying(pod, "config-sync", /expected a folder that user 65532 may write to, got \/etc\/published \(EACCES\)/);
    const unready = await pod.get(9914, "/readyz");
    expect(unready.status).toBe(503);
    expect(unready.body).toContain("/etc/published");
    chmodSync(pod.paths["published"]!, 0o2777);
    await pod.ready("config-sync");
  });

  test("whose source is not there says so, and publishes when it comes", async () => {
    const pod = await startPod({
      text: readExample("config-sync"),
      contents: { "my-app": configuration("served") },
      cleanup,
      change: ({ spec }) => {
        delete spec.initContainers;
      },
      prepare: (paths) => renameSync(join(paths["source"]!, "..data"), join(paths["source"]!, "away")),
    });
    await saying(pod, "config-sync", /default\.conf|expected at least one file|empty/);
    expect((await pod.get(9914, "/readyz")).status).toBe(503);
    renameSync(join(pod.paths["source"]!, "away"), join(pod.paths["source"]!, "..data"));
    await pod.ready("config-sync");
  });

  test("without a shared process namespace names that setting, and the user", async () => {
    const pod = await startPod({
      text: readExample("config-sync"),
      contents: { "my-app": configuration("served") },
      cleanup,
      change: ({ spec }) => {
        delete spec["shareProcessNamespace"];
      },
    });
    await until(async () => (await pod.get(8080, "/")).body === "served", { timeoutMs: 20_000 });
    await pod.update("my-app", configuration("changed"));
    await saying(pod, "config-sync", /shareProcessNamespace/);
    const { status } = await until(
      async () => {
        const answer = await pod.get(9914, "/readyz");
        return answer.body.includes("shareProcessNamespace") && answer;
      },
      { describe: "/readyz to name what is missing", timeoutMs: 30_000 },
    );
    // What the application has is good, so the pod stays in service.
    expect(status).toBe(200);
    expect((await pod.get(9914, "/metrics")).body).toMatch(/config_sync_\w+_total\{[^}]*\} [1-9]/);
  });
});
