// Real Helm over the charts of the repository.
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { tempDir } from "@outrigger/testing";
import { parseAllDocuments, stringify } from "yaml";

import { copyChart } from "../../scripts/charts/render.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { unpackTool } from "../../scripts/charts/tools.ts";
import { root } from "../../scripts/tools.ts";
import type { Pod } from "../docs/examples.ts";

export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly spec?: unknown;
  readonly rules?: unknown;
  readonly [field: string]: unknown;
};

export type Rendered = { readonly manifests: readonly Manifest[]; readonly pod: Pod };

export type Helm = {
  /** Exit status and what it said. */
  run(...args: readonly string[]): Promise<{ readonly ok: boolean; readonly output: string }>;
  /** What the application chart gives for these values; throws with Helm's message. */
  render(values: unknown, options?: { readonly kube?: string }): Promise<Rendered>;
  readonly charts: string;
};

/** Helm with a copy of the charts, the library in the application as a dependency. */
export function openHelm(major: HelmMajor, cleanup: Cleanup): Helm {
  const program = unpackTool(major, "helm");
  const home = tempDir(cleanup);
  const charts = join(home, "charts");
  for (const [chart, place] of [
    ["outrigger", "outrigger"],
    ["outrigger-app", "outrigger-app"],
    ["outrigger", "outrigger-app/charts/outrigger"],
  ])
    copyChart(join(root, "charts", chart!), join(charts, place!));
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const run: Helm["run"] = (...args) =>
    new Promise((resolve) => {
      execFile(program, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
        resolve({ ok: error === null, output: error === null ? stdout : stdout + stderr }),
      );
    });
  let count = 0;
  const render: Helm["render"] = async (values, { kube = "1.31.0" } = {}) => {
    const file = join(home, `values-${++count}.yaml`);
    writeFileSync(file, typeof values === "string" ? values : stringify(values));
    const chart = join(charts, "outrigger-app");
    const { ok, output } = await run("template", "my-app", chart, "--kube-version", kube, "--values", file);
    rmSync(file);
    if (!ok) throw new Error(output);
    const manifests = parseAllDocuments(output)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
    return { manifests, pod: podOf(manifests) };
  };
  return { run, render, charts };
}

/** The pod that the workload makes. */
export function podOf(manifests: readonly Manifest[]): Pod {
  const workload = manifests.find(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
  if (workload === undefined) throw new Error("expected a Deployment or a StatefulSet, got none");
  return (workload.spec as { template: Pod }).template;
}
