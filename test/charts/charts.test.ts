// The charts as real Helm renders them, 3.17 and 4.1: what is put where, and what is refused.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

import { copyChart } from "../../scripts/charts/render.ts";
import { whyNoHelm } from "../../scripts/charts/tools.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { root } from "../../scripts/tools.ts";
import type { PodContainer } from "../docs/examples.ts";
import { containersOf } from "../docs/examples.ts";
import type { Helm, Rendered } from "./helm.ts";
import { openHelm } from "./helm.ts";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const MAJORS: HelmMajor[] = [3, 4];
const APP = { image: { repository: "app", tag: "1" } };
const OLD = { kube: "1.28.0" };

/** Values with our containers in them. */
const withOurs = (outrigger: unknown, rest: object = {}): unknown => ({ ...APP, ...rest, outrigger });

const namesOf = ({ pod }: Rendered): Record<string, readonly string[]> => ({
  init: (pod.spec.initContainers ?? []).map(({ name }) => name),
  plain: pod.spec.containers.map(({ name }) => name),
});

const one = ({ pod }: Rendered, name: string): PodContainer => containersOf(pod).find((each) => each.name === name)!;

/** The options that a container is given. */
function optionsOf(container: PodContainer): unknown {
  const inline = container.env?.find(({ name }) => name.endsWith("_CONFIG_INLINE"));
  return JSON.parse(inline!.value!);
}

const ALL = {
  logAdapter: { main: { options: { input: ["file:/var/log/app/*.log"] } } },
  metricsAdapter: { main: { options: { redis: true } } },
  tlsSidecar: { main: {} },
  shardAmbassador: { main: { options: { shards: ["a:6379", "b:6379"] } } },
  configSync: { main: { options: { source: ["dir:/a"], output: "/b", notify: ["signal:HUP:app"], waitFor: "x" } } },
};

describe.skipIf(whyNoHelm() !== undefined).each(MAJORS)("helm %i", (major) => {
  let helm: Helm;
  beforeAll(() => {
    helm = openHelm(major, afterAll);
  });

  test("finds nothing to say against the charts", async () => {
    for (const [chart, ...args] of [["outrigger"], ["outrigger-app", "--set=image.repository=app"]]) {
      const { ok, output } = await helm.run("lint", "--strict", join(helm.charts, chart!), ...args);
      expect([ok, output]).toEqual([true, expect.stringContaining("0 chart(s) failed")]);
    }
  });

  test("packs the application with the library in it, as the README says", async () => {
    const chart = join(helm.charts, "fresh/outrigger-app");
    copyChart(join(root, "charts/outrigger-app"), chart);
    copyChart(join(root, "charts/outrigger"), join(helm.charts, "fresh/outrigger"));
    expect(await helm.run("dependency", "build", chart)).toMatchObject({ ok: true });
    const tls = ["--set=image.repository=a", "--set=outrigger.tlsSidecar.main.options.mode=tcp"];
    const packed = await helm.run("package", chart, "-d", helm.charts);
    expect(packed).toMatchObject({ ok: true });
    for (const one of [chart, join(helm.charts, `outrigger-app-${version}.tgz`)]) {
      const { output } = await helm.run("template", "x", one, "--kube-version", "1.31.0", ...tls);
      expect(output).toContain("image: outrigger/tls-sidecar:");
    }
  });

  test("has charts of the version of the containers", () => {
    const read = (chart: string) =>
      parse(readFileSync(join(root, "charts", chart, "Chart.yaml"), "utf8")) as Record<string, unknown>;
    expect(read("outrigger")).toMatchObject({ version, appVersion: version });
    expect(read("outrigger-app")).toMatchObject({ version, appVersion: version, dependencies: [{ version }] });
  });

  test("renders an application with nothing beside it", async () => {
    const rendered = await helm.render(APP);
    expect(namesOf(rendered)).toEqual({ init: [], plain: ["app"] });
    expect(rendered.pod.spec).toMatchObject({ automountServiceAccountToken: false });
    expect(rendered.pod.spec).not.toHaveProperty("shareProcessNamespace");
    expect(rendered.manifests.map(({ kind }) => kind).sort()).toEqual(["Deployment", "ServiceAccount"]);
  });

  test("puts native sidecars in the order in which they need each other", async () => {
    const rendered = await helm.render(withOurs(ALL));
    const init = ["config-sync", "shard-ambassador", "tls-sidecar", "metrics-adapter", "log-adapter"];
    expect(namesOf(rendered)).toEqual({ init, plain: ["app"] });
    for (const name of init) expect(one(rendered, name).restartPolicy).toBe("Always");
    expect(rendered.pod.spec).toMatchObject({ shareProcessNamespace: true });
  });

  test("makes them plain containers where the cluster is too old, and has config-sync run once before", async () => {
    const rendered = await helm.render(withOurs(ALL), OLD);
    const plain = ["config-sync", "shard-ambassador", "tls-sidecar", "metrics-adapter", "log-adapter", "app"];
    expect(namesOf(rendered)).toEqual({ init: ["config-sync-first"], plain });
    const first = one(rendered, "config-sync-first");
    expect(optionsOf(first)).toEqual({ source: ["dir:/a"], output: "/b", once: true });
    for (const field of ["restartPolicy", "ports", "startupProbe"]) expect(first).not.toHaveProperty(field);
    for (const { restartPolicy } of containersOf(rendered.pod)) expect(restartPolicy).toBeUndefined();
    // The application does not end first there: the default drain delay stays.
    expect(one(rendered, "tls-sidecar").env).toBeUndefined();
  });

  test("names an instance after its key, unless that is main, and leaves out what is not enabled", async () => {
    const tlsSidecar = {
      main: {},
      admin: { options: { listen: "0.0.0.0:9443", adminListen: "0.0.0.0:9920" } },
      off: { enabled: false },
    };
    const rendered = await helm.render(withOurs({ tlsSidecar }));
    expect(namesOf(rendered)["init"]).toEqual(["tls-sidecar", "tls-sidecar-admin"]);
    expect(one(rendered, "tls-sidecar-admin").ports).toEqual([
      { name: "https", containerPort: 9443 },
      { name: "admin", containerPort: 9920 },
    ]);
  });

  test("gives options exactly as they are written, with nothing in them for Kubernetes to expand", async () => {
    const options = {
      output: ["file:/a,b", "$(HOME) $$ \"'<>&\n"],
      keepOriginal: false,
      outputFileKeep: 7,
      formats: [],
    };
    const rendered = await helm.render(withOurs({ logAdapter: { main: { mode: "sidecar", options } } }));
    const container = one(rendered, "log-adapter");
    expect(optionsOf(container)).toEqual(options);
    expect(container.env![0]!.value).not.toContain("$");
  });

  test("puts config in a ConfigMap, under the options, and makes new pods unless the container reads it again", async () => {
    const main = { config: { logLevel: "debug", mode: "tcp" }, options: { logLevel: "warn" } };
    const shards = { main: { config: { shards: ["a:1"] } } };
    const { manifests, pod } = await helm.render(withOurs({ tlsSidecar: { main }, shardAmbassador: shards }));
    const map = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "my-app-tls-sidecar");
    const text = (map!["data"] as Record<string, string>)["options.json"]!;
    expect(JSON.parse(text)).toEqual({ drainDelay: "0s", logLevel: "warn", mode: "tcp" });
    expect(one({ manifests, pod }, "tls-sidecar").args).toEqual(["--config=/etc/outrigger/options.json"]);
    const { annotations } = (pod as unknown as { metadata: { annotations: object } }).metadata;
    expect(Object.keys(annotations)).toEqual(["checksum/tls-sidecar", "kubectl.kubernetes.io/default-container"]);
  });

  test("lets an entry of the user's with the same name win, field by field, even to turn something off", async () => {
    const initContainers = [
      { name: "migrate", image: "migrate:1" },
      { name: "tls-sidecar", securityContext: { readOnlyRootFilesystem: false }, livenessProbe: { periodSeconds: 60 } },
    ];
    const rendered = await helm.render(withOurs({ tlsSidecar: { main: {} } }, { initContainers }));
    expect(namesOf(rendered)["init"]).toEqual(["tls-sidecar", "migrate"]);
    expect(one(rendered, "tls-sidecar")).toMatchObject({
      image: "outrigger/tls-sidecar:0.1.0",
      securityContext: { readOnlyRootFilesystem: false, runAsUser: 65532 },
      livenessProbe: { periodSeconds: 60, httpGet: { path: "/livez" } },
    });
  });

  test("takes image, resources, probes, variables, flags and patches of an instance", async () => {
    const main = {
      image: { registry: "r.example", digest: `sha256:${"a".repeat(64)}`, pullPolicy: "Always" },
      resources: { limits: { memory: "1Gi" } },
      probes: { startup: false, readiness: { periodSeconds: 2 } },
      extraEnv: [{ name: "A", value: "b" }],
      extraArgs: ["--log-level=debug"],
      patch: { stdin: true },
    };
    const container = one(
      await helm.render(withOurs({ tlsSidecar: { main }, global: { openshift: true } })),
      "tls-sidecar",
    );
    expect(container).toMatchObject({
      image: `r.example/outrigger/tls-sidecar@sha256:${"a".repeat(64)}`,
      imagePullPolicy: "Always",
      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "1Gi" } },
      readinessProbe: { periodSeconds: 2, httpGet: { path: "/readyz", port: "admin" } },
      args: ["--log-level=debug"],
      stdin: true,
    });
    expect(container).not.toHaveProperty("startupProbe");
    expect(container.env).toContainEqual({ name: "A", value: "b" });
    expect(container["securityContext"]).not.toHaveProperty("runAsUser");
  });

  test("leaves users and groups to OpenShift", async () => {
    const { pod } = await helm.render(withOurs({ tlsSidecar: { main: {} }, global: { openshift: true } }));
    expect(pod.spec.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(JSON.stringify(pod)).not.toContain("65532");
  });

  test("mounts volumes where they are said to be, in the application's containers, too", async () => {
    const volumes = {
      logs: { emptyDir: {}, mounts: { app: "/var/log", "log-adapter": { mountPath: "/var/log/app", readOnly: true } } },
    };
    const rendered = await helm.render(withOurs({ logAdapter: ALL.logAdapter, volumes }));
    expect(rendered.pod.spec.volumes).toEqual([{ name: "logs", emptyDir: {} }]);
    expect(one(rendered, "app")["volumeMounts"]).toEqual([{ name: "logs", mountPath: "/var/log" }]);
    expect(one(rendered, "log-adapter")["volumeMounts"]).toEqual([
      { name: "logs", mountPath: "/var/log/app", readOnly: true },
    ]);
  });

  test("gives config-sync, and no other container, the rights that its sources need", async () => {
    const source = ["kube:configmap/site", "kube:secret?label=app=x,tier!=y&namespace=shop", "dir:/a"];
    const jobs = [{ name: "far", source: "kube:configmap/x?server=https://far&token=/t", output: "/c" }];
    const rendered = await helm.render(
      withOurs({ configSync: { main: { options: { source, output: "/b", jobs } } }, tlsSidecar: { main: {} } }),
    );
    const roles = rendered.manifests.filter(({ kind }) => kind === "Role");
    const verbs = ["get", "list", "watch"];
    expect(roles.map(({ metadata, rules }) => [metadata["namespace"], rules])).toEqual([
      [undefined, [{ apiGroups: [""], resources: ["configmaps"], resourceNames: ["site"], verbs }]],
      ["shop", [{ apiGroups: [""], resources: ["secrets"], verbs }]],
    ]);
    expect(rendered.manifests.filter(({ kind }) => kind === "RoleBinding")).toHaveLength(2);
    expect(rendered.pod.spec).toMatchObject({ automountServiceAccountToken: false, serviceAccountName: "my-app" });
    const withToken = containersOf(rendered.pod).filter((each) => JSON.stringify(each).includes("serviceaccount"));
    expect(withToken.map(({ name }) => name)).toEqual(["config-sync"]);
    const all = await helm.render(
      withOurs({ configSync: { main: { options: { source: "kube:configmap?namespace=*" } } } }),
    );
    expect(all.manifests.map(({ kind }) => kind)).toContain("ClusterRoleBinding");
    const none = await helm.render(withOurs(ALL));
    expect(none.manifests.filter(({ kind }) => kind.includes("Role"))).toEqual([]);
  });

  test("takes the image with git for sources that need it", async () => {
    const main = { options: { source: "git+https://git.example/conf.git", output: "/b" } };
    const rendered = await helm.render(withOurs({ configSync: { main } }));
    expect(one(rendered, "config-sync").image).toBe("outrigger/config-sync:0.1.0-git");
  });

  test("tells Prometheus of the metrics, by annotations or by a PodMonitor", async () => {
    const monitoring = { annotations: true, podMonitor: { enabled: true, interval: "15s", labels: { release: "p" } } };
    const { manifests, pod } = await helm.render(withOurs({ ...ALL, monitoring }));
    const { annotations } = (pod as unknown as { metadata: { annotations: Record<string, string> } }).metadata;
    expect(annotations).toMatchObject({ "prometheus.io/scrape": "true", "prometheus.io/port": "9121" });
    const monitor = manifests.find(({ kind }) => kind === "PodMonitor")!;
    expect(monitor).toMatchObject({ metadata: { labels: { release: "p" } } });
    const { podMetricsEndpoints } = monitor.spec as { podMetricsEndpoints: { port: string }[] };
    expect(podMetricsEndpoints.map(({ port }) => port)).toEqual(["admin", "metrics"]);
  });

  test("makes a whole application: Service, budget, scaling, network policy and a test", async () => {
    const { manifests } = await helm.render({
      ...APP,
      kind: "StatefulSet",
      ports: { web: 8080 },
      service: { ports: { https: { port: 443 }, web: { port: 80 } } },
      podDisruptionBudget: { enabled: true },
      autoscaling: { enabled: true },
      networkPolicy: { enabled: true },
      test: { image: "curl:1", command: ["curl", "-fk", "https://$(APP)/"] },
      outrigger: { tlsSidecar: { main: {} } },
    });
    const kinds = manifests.map(({ kind }) => kind).sort();
    expect(kinds).toEqual([
      "HorizontalPodAutoscaler",
      "NetworkPolicy",
      "Pod",
      "PodDisruptionBudget",
      "Service",
      "ServiceAccount",
      "StatefulSet",
    ]);
    const { ports } = manifests.find(({ kind }) => kind === "Service")!.spec as { ports: unknown };
    expect(ports).toEqual([
      { name: "https", port: 443, targetPort: 8443 },
      { name: "web", port: 80, targetPort: 8080 },
    ]);
    const policy = manifests.find(({ kind }) => kind === "NetworkPolicy")!.spec as { ingress: { ports: unknown[] }[] };
    expect(policy.ingress.map((rule) => rule.ports)).toEqual([[{ port: 8443 }, { port: 8080 }], [{ port: 9910 }]]);
  });

  const refusals: [string, unknown, string, { kube?: string }?][] = [
    ["an option", { tlsSidecar: { main: { options: { litsen: 1 } } } }, "litsen"],
    ["a field", { tlsSidecar: { main: { imgae: {} } } }, "imgae"],
    ["a container", { tlsSidcar: {} }, "tlsSidcar"],
    ["a job's option", { configSync: { main: { options: { jobs: [{ name: "a", ouput: "/x" }] } } } }, "ouput"],
    ["a value", { tlsSidecar: { main: { options: { minVersion: "1.1" } } } }, "minVersion"],
    ["a secret", { metricsAdapter: { main: { options: { redisPassword: "x" } } } }, "redisPassword"],
    ["a mode", { tlsSidecar: { main: { mode: "init" } } }, "mode"],
    ["an instance's name", { tlsSidecar: { Main: {} } }, "Main"],
    [
      "native sidecars in a cluster that has none",
      { tlsSidecar: { main: { mode: "native" } } },
      "outrigger.tlsSidecar.main.mode: expected sidecar or init, got native, which needs Kubernetes 1.29",
      OLD,
    ],
    [
      "two instances on one port",
      { tlsSidecar: { main: {}, other: { options: { listen: "0.0.0.0:9443" } } } },
      "port 9910: expected one container to open it, got tls-sidecar and tls-sidecar-other",
    ],
    [
      "a port of the application's",
      { tlsSidecar: { main: { options: { listen: "8080" } } } },
      "port 8080: expected one container to open it, got tls-sidecar and app",
    ],
    [
      "an admin port that no probe reaches",
      { tlsSidecar: { main: { options: { adminListen: "127.0.0.1:9910" } } } },
      "adminListen: expected an address that the kubelet's probes reach, got 127.0.0.1:9910",
    ],
    [
      "a mount in a container that is not there",
      { volumes: { logs: { emptyDir: {}, mounts: { ap: "/x" } } } },
      "outrigger.volumes.logs.mounts: expected the name of a container of the pod, got ap",
    ],
  ];
  test.each(refusals)("refuses %s with the reason", async (_, ours, message, options) => {
    await expect(helm.render(withOurs(ours, { ports: { web: 8080 } }), options)).rejects.toThrow(message);
  });

  test("says the path of a mistake", async () => {
    const wrong = withOurs({ tlsSidecar: { main: { options: { litsen: 1 } } } });
    await expect(helm.render(wrong)).rejects.toThrow(/tlsSidecar[./]main[./]options/);
    await expect(helm.render({ ...APP, replcas: 2 })).rejects.toThrow("replcas");
  });
});
