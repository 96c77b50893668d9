// What the charts themselves give, rendered by Helm: the Kustomize component of each container, and each recipe as plain
// manifests.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { parseAllDocuments, stringify } from "yaml";

import { keyOf } from "./entries.ts";
import type { ChartFile } from "./monitoring.ts";
import { unpackTool } from "./tools.ts";

const run = promisify(execFile);

type Named = { readonly name: string };
type PodSpec = {
  readonly automountServiceAccountToken: boolean;
  readonly initContainers: readonly Named[];
  readonly volumes?: readonly Named[];
};
type Manifest = {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: PodSpec } };
};

/** Parts of a chart's files that are as their sources say: the templates are read as they are about to be. */
export type ChartOverlay = readonly ChartFile[];

type Template = (values: string, ...args: readonly string[]) => Promise<string>;

/** Copies a chart without what Helm has brought for it. */
export const copyChart = (from: string, to: string): void =>
  cpSync(from, to, { recursive: true, filter: (path) => path !== join(from, "charts") });

/** Renders the application chart in the repository, with these generated files over it. */
function openChart(repository: string, overlay: ChartOverlay): { template: Template; close(): void } {
  const helm = unpackTool(3, "helm");
  const folder = mkdtempSync(join(tmpdir(), "outrigger-render-"));
  const chart = join(folder, "charts/outrigger-app");
  copyChart(join(repository, "charts/outrigger-app"), chart);
  copyChart(join(repository, "charts/outrigger"), join(chart, "charts/outrigger"));
  for (const { path, text } of overlay) {
    const [, inLibrary] = /^charts\/outrigger\/(.*)$/.exec(path) ?? [];
    if (inLibrary !== undefined) writeFileSync(join(chart, "charts/outrigger", inLibrary), text);
  }
  let count = 0;
  const template: Template = async (values, ...args) => {
    const file = join(folder, `values-${++count}.yaml`);
    writeFileSync(file, values);
    const all = ["template", "my-app", chart, "--kube-version", "1.34.0", "--values", file, ...args];
    return (await run(helm, all, { env: { ...process.env, HELM_CACHE_HOME: folder } })).stdout;
  };
  return { template, close: () => rmSync(folder, { recursive: true, force: true }) };
}

const COMMENT = "# Rendered from the chart: npm run generate.\n";

/** The components of these containers, and the recipes as plain manifests. */
export async function renderedFiles(
  names: readonly string[],
  repository: string,
  overlay: ChartOverlay,
): Promise<ChartFile[]> {
  const chart = openChart(repository, overlay);
  const recipes = join(repository, "charts/recipes");
  try {
    const plain = readdirSync(recipes).map(async (file) => {
      const text = await chart.template(readFileSync(join(recipes, file), "utf8"));
      return { path: `charts/plain/${file}`, text: COMMENT + withoutHelm(text) };
    });
    const components = componentsOf(names, chart.template);
    return [...(await components), ...(await Promise.all(plain))];
  } finally {
    chart.close();
  }
}

/** Components of all these containers, from one pod that has them all with their options from ConfigMaps. */
async function componentsOf(names: readonly string[], template: Template): Promise<ChartFile[]> {
  const instance = { main: { config: { logLevel: "info" } } };
  const outrigger = Object.fromEntries(names.map((name) => [keyOf(name), instance]));
  const values = { nameOverride: "options", image: { repository: "app" }, outrigger };
  const { spec } = parseAllDocuments(await template(stringify(values)))
    .map((document) => document.toJS() as Manifest)
    .find(({ kind }) => kind === "Deployment")!;
  return names.flatMap((name) => componentOf(name, spec.template.spec));
}

/** A container with its options from a ConfigMap `options-<name>`, as a patch of whatever makes the pods. */
function componentOf(
  name: string,
  { automountServiceAccountToken, initContainers, volumes = [] }: PodSpec,
): ChartFile[] {
  const spec = {
    automountServiceAccountToken,
    initContainers: initContainers.filter((container) => container.name === name),
    volumes: volumes.filter((volume) => volume.name === `${name}-options`),
  };
  const patch = {
    apiVersion: "apps/v1",
    // Kustomize goes by the target.
    kind: "Deployment",
    metadata: { name: "any" },
    spec: { template: { spec } },
  };
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    patches: [{ path: "patch.yaml", target: { kind: "Deployment|StatefulSet" } }],
  };
  const folder = `charts/kustomize/${name}`;
  return [
    { path: `${folder}/kustomization.yaml`, text: COMMENT + stringify(component) },
    { path: `${folder}/patch.yaml`, text: COMMENT + stringify(patch, { lineWidth: 0 }) },
  ];
}

/** Manifests without what only Helm has a use for. */
function withoutHelm(text: string): string {
  const kept = text
    .split("\n")
    .filter((line) => !/^# Source:|^\s+(helm\.sh\/chart|app\.kubernetes\.io\/managed-by):/.test(line));
  return kept.join("\n").replace(/^---\n/, "");
}
