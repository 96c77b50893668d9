// One recipe in three forms - values for Helm, a Kustomize component, plain manifests - is one application.
import { execFile } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { tempDir } from "@outrigger/testing";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";

import { aboutContainer } from "../../scripts/charts/entries.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { unpackTool, whyNoHelm } from "../../scripts/charts/tools.ts";
import { containerNames, loadContainer } from "../../scripts/containers.ts";
import { root } from "../../scripts/tools.ts";
import type { PodContainer } from "../docs/examples.ts";
import { restrictedViolations } from "../docs/pod-security.ts";
import type { Manifest } from "./helm.ts";
import { openHelm, podOf } from "./helm.ts";
import { podProblems, schemaProblems } from "./manifests.ts";

const run = promisify(execFile);

const manifestsIn = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

/** What Kustomize makes of a folder. */
async function kustomize(major: HelmMajor, folder: string): Promise<Manifest[]> {
  const kubectl = unpackTool(major, "kubectl");
  return manifestsIn((await run(kubectl, ["kustomize", folder])).stdout);
}

type Named = { readonly name: string };
const sorted = <T extends Named>(items: readonly T[]): T[] => items.toSorted((a, b) => a.name.localeCompare(b.name));

/** A container with its options as values, wherever they were given. */
function normalContainer(container: PodContainer, manifests: readonly Manifest[]): Record<string, unknown> {
  const {
    env = [],
    args = [],
    volumeMounts = [],
    ...rest
  } = container as PodContainer & { volumeMounts?: readonly Named[] };
  const inline = env.find(({ name }) => name.endsWith("_CONFIG_INLINE"))?.value;
  const map = manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(`options-${container.name}`),
  );
  const inFile = map === undefined ? undefined : (map["data"] as Record<string, string>)["options.json"];
  const given = inline ?? inFile;
  return {
    ...rest,
    env: env.filter(({ name }) => !name.endsWith("_CONFIG_INLINE")),
    args: args.filter((arg) => !arg.startsWith("--config=")),
    volumeMounts: sorted(volumeMounts.filter(({ name }) => name !== `${container.name}-options`)),
    options: given === undefined ? undefined : (parse(given) as unknown),
  };
}

function withoutLabels({ metadata, ...rest }: Manifest): Record<string, unknown> {
  const { labels: _, ...others } = metadata;
  return { ...rest, metadata: others };
}

/** An application without what its form has brought: order, files of options, labels of what is no pod. */
function normalForm(manifests: readonly Manifest[]): unknown {
  const pod = podOf(manifests);
  const { initContainers = [], containers, volumes = [], ...spec } = pod.spec;
  const normal = (container: PodContainer): unknown => normalContainer(container, manifests);
  const named = volumes as unknown as readonly Named[];
  const others = manifests.filter(({ kind }) => !["Deployment", "StatefulSet", "ConfigMap"].includes(kind));
  return {
    pod: {
      ...spec,
      initContainers: initContainers.map(normal),
      containers: containers.map(normal),
      volumes: sorted(named.filter(({ name }) => !name.endsWith("-options"))),
    },
    others: others.map(withoutLabels).toSorted((a, b) => String(a["kind"]).localeCompare(String(b["kind"]))),
  };
}

/** The containers in the order in which they start. */
async function namesInOrder(): Promise<string[]> {
  const containers = await Promise.all(containerNames().map((name) => loadContainer(name)));
  const placed = containers.map((one) => ({ name: one.name, order: Number(aboutContainer(one)["order"]) }));
  return placed.toSorted((a, b) => a.order - b.order || a.name.localeCompare(b.name)).map(({ name }) => name);
}

describe.skipIf(whyNoHelm() !== undefined).each([3, 4] satisfies HelmMajor[])("helm %i and its kubectl", (major) => {
  test("the recipe https is the same by Helm, by Kustomize and as plain manifests", async () => {
    const helm = openHelm(major, afterAll);
    const values = readFileSync(join(root, "charts/recipes/https.yaml"), "utf8");
    const { manifests } = await helm.render(values, { kube: "1.34.0" });
    const byHelm = normalForm(manifests);
    const plain = manifestsIn(readFileSync(join(root, "charts/plain/https.yaml"), "utf8"));
    expect(normalForm(plain)).toEqual(byHelm);
    expect(normalForm(await kustomize(major, join(root, "charts/kustomize/example")))).toEqual(byHelm);
    // It does compare something.
    expect(JSON.stringify(byHelm)).toContain('"target":"127.0.0.1:8000"');
    expect(JSON.stringify(normalForm(plain)).replaceAll("365d", "1d")).not.toEqual(JSON.stringify(byHelm));
  });

  test("all components together make a pod for a strict cluster, the last one starting first", async () => {
    const folder = tempDir(onTestFinished);
    cpSync(join(root, "charts/kustomize"), folder, { recursive: true });
    const names = (await namesInOrder()).toReversed();
    const kustomization = {
      resources: ["app.yaml"],
      components: names.map((name) => `../${name}`),
      configMapGenerator: names.map((name) => ({ name: `options-${name}`, literals: ["options.json={}"] })),
    };
    writeFileSync(join(folder, "example/kustomization.yaml"), stringify(kustomization));
    const manifests = await kustomize(major, join(folder, "example"));
    const pod = podOf(manifests);
    expect(pod.spec.initContainers!.map(({ name }) => name)).toEqual(names.toReversed());
    expect(manifests.flatMap(schemaProblems)).toEqual([]);
    expect(podProblems(pod)).toEqual([]);
    expect(restrictedViolations(pod)).toEqual([]);
    expect(JSON.stringify(pod)).toMatch(/options-tls-sidecar-[a-z0-9]{10}/);
  });
});
