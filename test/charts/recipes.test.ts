// Every recipe of charts/README.md, from exactly its text: what Helm makes of it is fit for a strict cluster. That it does
// what it says, test/pods/charts.test.ts shows.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { whyNoHelm } from "../../scripts/charts/tools.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { root } from "../../scripts/tools.ts";
import { restrictedViolations } from "../docs/pod-security.ts";
import { openHelm } from "./helm.ts";
import { lostFields } from "./lost-fields.ts";
import { podProblems, schemaProblems } from "./manifests.ts";
import { optionProblems } from "./options.ts";

const MAJORS: HelmMajor[] = [3, 4];
const folder = join(root, "charts/recipes");
const readme = readFileSync(join(root, "charts/README.md"), "utf8");

describe.skipIf(whyNoHelm() !== undefined).each(MAJORS)("helm %i", (major) => {
  test.each(readdirSync(folder))(
    "the recipe %s is in the README, and renders to what a strict cluster takes",
    async (file) => {
      const text = readFileSync(join(folder, file), "utf8");
      expect(readme).toContain(`\`\`\`yaml\n${text}\`\`\`\n`);
      const helm = openHelm(major, afterAll);
      for (const kube of ["1.28.0", "1.31.0"]) {
        const rendered = await helm.render(text, { kube });
        expect(rendered.manifests.flatMap(schemaProblems)).toEqual([]);
        expect(podProblems(rendered.pod)).toEqual([]);
        for (const workload of rendered.manifests.filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet"))
          expect(await lostFields(major, workload)).toEqual([]);
        expect(restrictedViolations(rendered.pod)).toEqual([]);
        expect(optionProblems(rendered)).toEqual([]);
      }
    },
  );

  test("whatever can be said of an application is a field that Kubernetes knows", async () => {
    const helm = openHelm(major, afterAll);
    const probe = { httpGet: { path: "/", port: "web" } };
    const own = {
      image: { pullPolicy: "Always" },
      probes: { startup: { periodSeconds: 2 }, readiness: { timeoutSeconds: 3 }, liveness: { failureThreshold: 4 } },
      extraEnv: [{ name: "A", value: "b" }],
    };
    const { manifests } = await helm.render(
      {
        image: { repository: "app", pullPolicy: "Always" },
        imagePullSecrets: [{ name: "registry" }],
        ports: { web: 8000 },
        probes: { startup: probe, readiness: probe, liveness: probe },
        env: [{ name: "A", value: "b" }],
        envFrom: [{ secretRef: { name: "s" } }],
        strategy: { type: "Recreate" },
        nodeSelector: { disk: "fast" },
        tolerations: [{ key: "a", operator: "Exists" }],
        affinity: { podAntiAffinity: {} },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "zone",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { a: "b" } },
          },
        ],
        outrigger: {
          tlsSidecar: { main: { ...own, config: { mode: "tcp" } } },
          configSync: {
            main: { ...own, options: { source: "kube:secret/a", output: "/b", notify: "signal:HUP:app" } },
          },
          volumes: { b: { emptyDir: { sizeLimit: "1Mi" }, mounts: { app: "/b", "config-sync": "/b" } } },
        },
      },
      { kube: "1.34.0" },
    );
    const workload = manifests.find(({ kind }) => kind === "Deployment")!;
    expect(schemaProblems(workload)).toEqual([]);
    expect(await lostFields(major, workload)).toEqual([]);
    const { template } = workload.spec as { template: object };
    const wrong = {
      ...workload,
      spec: { ...(workload.spec as object), replcas: 2, template: { ...template, sepc: { a: 1 } } },
    };
    expect(await lostFields(major, wrong)).toEqual([".spec.template.sepc", ".spec.replcas"]);
  });
});
