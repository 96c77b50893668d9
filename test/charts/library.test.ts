// The library in a chart of somebody else's, under a name of its own, called as charts/README.md says.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { whyNoHelm } from "../../scripts/charts/tools.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import type { Manifest } from "./helm.ts";
import { openHelm } from "./helm.ts";

const MAJORS: HelmMajor[] = [3, 4];

const CHART = `apiVersion: v2
name: theirs
version: 1.0.0
dependencies: [{ name: outrigger, version: 0.1.0, repository: "file://../outrigger", alias: beside }]
`;

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: theirs
spec:
  {{- $spec := dict "containers" (list (dict "name" "web" "image" "web:1")) }}
  {{- if .Values.alone }}{{ $_ := set $spec "shareProcessNamespace" false }}{{ end }}
  {{- include "outrigger.pod" (dict "root" $ "spec" $spec "name" "theirs" "key" "beside") | nindent 2 }}
{{- $selector := dict "app.kubernetes.io/name" "theirs" }}
{{- include "outrigger.resources" (dict "root" $ "name" "theirs" "serviceAccount" "robot" "selector" $selector "key" "beside") }}
`;

const VALUES = `beside:
  configSync: { main: { options: { source: "kube:configmap/site", output: /out } } }
  tlsSidecar: { main: { config: { mode: tcp } } }
  volumes: { out: { emptyDir: {}, mounts: { web: /out, config-sync: /out } } }
`;

describe.skipIf(whyNoHelm() !== undefined).each(MAJORS)("helm %i", (major) => {
  test("renders a chart that has the library under another name", async () => {
    const helm = openHelm(major, afterAll);
    const chart = join(helm.charts, "theirs");
    mkdirSync(join(chart, "templates"), { recursive: true });
    for (const [file, text] of Object.entries({
      "Chart.yaml": CHART,
      "templates/pod.yaml": POD,
      "values.yaml": VALUES,
    }))
      writeFileSync(join(chart, file), text);
    cpSync(join(helm.charts, "outrigger"), join(chart, "charts/outrigger"), { recursive: true });
    const { output } = await helm.run("template", "x", chart, "--kube-version", "1.31.0");
    const manifests = parseAllDocuments(output).map((document) => document.toJS() as Manifest);
    const named = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    expect(named).toEqual([
      "ConfigMap theirs-tls-sidecar",
      "Pod theirs",
      "Role theirs-config-sync",
      "RoleBinding theirs-config-sync",
    ]);
    expect(manifests.find(({ kind }) => kind === "RoleBinding")).toMatchObject({ subjects: [{ name: "robot" }] });
    const pod = manifests.find(({ kind }) => kind === "Pod")!.spec;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      initContainers: [{ name: "config-sync" }, { name: "tls-sidecar" }],
      containers: [{ name: "web", volumeMounts: [{ name: "out", mountPath: "/out" }] }],
    });
    const signal = ["--set", "beside.configSync.main.options.notify=signal:HUP:web"];
    const told = await helm.run("template", "x", chart, ...signal);
    expect(told.output).toContain("shareProcessNamespace: true");
    const alone = await helm.run("template", "x", chart, ...signal, "--set", "alone=true");
    expect(alone.output).toContain("expected shareProcessNamespace for a signal, got a pod spec that has it false");
    const wrong = await helm.run("template", "x", chart, "--set", "beside.tlsSidecar.main.options.litsen=1");
    expect(wrong).toMatchObject({
      ok: false,
      output: expect.stringMatching(/beside[^]*tlsSidecar[./]main[./]options/),
    });
  });
});
