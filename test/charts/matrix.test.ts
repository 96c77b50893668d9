// Over any combination of containers, modes and clusters: what is rendered is what Kubernetes takes, fit for the
// restricted level of Pod Security, and each container understands the options that it is given.
import { assert, asyncProperty, boolean, constantFrom, record } from "fast-check";
import { afterAll, describe, expect, test } from "vitest";

import { whyNoHelm } from "../../scripts/charts/tools.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { containersOf } from "../docs/examples.ts";
import { restrictedViolations } from "../docs/pod-security.ts";
import { openHelm } from "./helm.ts";
import { podProblems, schemaProblems } from "./manifests.ts";
import { optionProblems } from "./options.ts";

const MAJORS: HelmMajor[] = [3, 4];

const OPTIONS = {
  configSync: {
    source: ["kube:secret/a?namespace=b", "dir:/a"],
    output: "/b",
    notify: "signal:HUP:app",
    keepRevisions: 2,
  },
  shardAmbassador: { shards: "a:1,b:2", protocol: "memcached" },
  tlsSidecar: { target: "127.0.0.1:8000", minVersion: 1.3, redirectListen: "0.0.0.0:8088", hsts: "1h" },
  metricsAdapter: { redis: true, nginx: "yes" },
  logAdapter: { input: ["file:/var/log/*.log"], model: "ecs", stateDir: "/state" },
};

/** One instance of each container, or none. */
const instances = record(
  Object.fromEntries(
    Object.keys(OPTIONS).map((key) => [
      key,
      record({
        enabled: boolean(),
        mode: constantFrom(undefined, "sidecar", ...(key === "configSync" ? ["init"] : [])),
        inConfig: boolean(),
        name: constantFrom("main", "second-1"),
      }),
    ]),
  ),
);

const settings = record({
  instances,
  kube: constantFrom("1.25.0", "1.28.9", "1.29.0", "1.31.2", "1.34.0"),
  kind: constantFrom("Deployment", "StatefulSet"),
  all: boolean(),
  openshift: boolean(),
  annotations: boolean(),
});

type Settings = typeof settings extends { generate: (...args: never[]) => { value: infer T } } ? T : never;

function valuesOf({ instances: chosen, kind, all, openshift, annotations }: Settings): unknown {
  const ours = Object.entries(chosen).map(([key, { enabled, mode, inConfig, name }]) => {
    const options = OPTIONS[key as keyof typeof OPTIONS];
    return [
      key,
      { [name]: { enabled, ...(mode === undefined ? {} : { mode }), [inConfig ? "config" : "options"]: options } },
    ];
  });
  return {
    kind,
    image: { repository: "app", tag: "1" },
    ports: { web: 8000 },
    service: { ports: { web: { port: 80 } } },
    podDisruptionBudget: { enabled: all },
    autoscaling: { enabled: all },
    networkPolicy: { enabled: all },
    test: all ? { image: "curl:1", command: ["curl"] } : {},
    outrigger: {
      ...Object.fromEntries(ours),
      global: { openshift },
      volumes: { shared: { emptyDir: {}, mounts: { app: "/shared" } } },
      monitoring: { annotations, podMonitor: { enabled: all } },
    },
  };
}

describe.skipIf(whyNoHelm() !== undefined).each(MAJORS)("helm %i", (major) => {
  test("renders only what a strict cluster takes and the containers understand", { timeout: 240_000 }, async () => {
    const helm = openHelm(major, afterAll);
    await assert(
      asyncProperty(settings, async (chosen) => {
        const rendered = await helm.render(valuesOf(chosen), { kube: chosen.kube });
        expect(rendered.manifests.flatMap(schemaProblems)).toEqual([]);
        expect(podProblems(rendered.pod)).toEqual([]);
        expect(restrictedViolations(rendered.pod)).toEqual([]);
        expect(optionProblems(rendered)).toEqual([]);
        const wanted = Object.values(chosen.instances).filter(({ enabled }) => enabled).length;
        const found = containersOf(rendered.pod).filter(
          ({ image, name }) => image.startsWith("outrigger/") && !name.endsWith("-first"),
        );
        expect(found).toHaveLength(wanted);
      }),
      { numRuns: 40 },
    );
  });
});

test("what the API would refuse is found", () => {
  const pod = { spec: { containers: [{ name: "a", image: "b", volumeMounts: [{ name: "x", mountPath: "/y" }] }] } };
  expect(podProblems(pod)).toEqual(["a: no volume x"]);
  const wrong = { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { containers: "none" } };
  expect(schemaProblems(wrong)).toEqual(["v1 Pod x: data/spec/containers must be array"]);
  expect(schemaProblems({ ...wrong, kind: "Pods" })).toEqual(["v1 Pods: an unknown kind"]);
});
