// Alerts and dashboards name only what the containers have, and Prometheus takes the rules.
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { commonMetrics } from "@outrigger/runtime";
import type { Metric } from "@outrigger/runtime";
import { requirePrograms, tempDir } from "@outrigger/testing";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";

import { readMonitoring } from "../../scripts/charts/monitoring.ts";
import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { whyNoHelm } from "../../scripts/charts/tools.ts";
import { containerNames, loadContainer } from "../../scripts/containers.ts";
import { root } from "../../scripts/tools.ts";
import type { Helm, Manifest } from "./helm.ts";
import { openHelm } from "./helm.ts";
import { unknownNames } from "./promql.ts";

const run = promisify(execFile);
const containers = await Promise.all(containerNames().map((name) => loadContainer(name)));
const watched = readdirSync(join(root, "charts/monitoring")).map((file) => file.replace(".yaml", ""));
const common = Object.values(commonMetrics as Record<string, Metric>);

describe.each(watched)("%s", (name) => {
  const own = containers.find((container) => container.name === name);
  const metrics = [...common, ...Object.values((own?.metrics ?? {}) as Record<string, Metric>)];
  const { alerts, panels } = readMonitoring(name, root);
  const queries = own === undefined ? panels.flatMap((panel) => panel.queries) : targetsOf(name);

  test("has alerts and panels, of metrics and labels that there are", () => {
    expect(Math.min(alerts.length, panels.length)).toBeGreaterThan(0);
    for (const { expr } of [...alerts, ...queries]) expect([expr, unknownNames(expr, metrics)]).toEqual([expr, []]);
  });

  test("shows in texts and legends only labels that the expression gives", () => {
    for (const { expr, summary } of alerts) {
      for (const [, label] of summary.matchAll(/\$labels\.(\w+)/g)) {
        expect(unknownNames(`sum by (${label!}) (${expr})`, metrics)).toEqual([]);
        if (expr.includes(" by (")) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label!}\\b`));
      }
    }
  });
});

test("a metric, a label or a value that does not exist would be found", () => {
  const wrong =
    'sum by (pood) (rate(outrigger_reloads_totl{outcome="refused"}[5m])) + outrigger_reloads_total{outcome="x"}';
  expect(unknownNames(wrong, common)).toEqual(["pood", "outrigger_reloads_totl", 'outcome="x"']);
});

const needs = requirePrograms("promtool");

describe.skipIf(needs.skip)(needs.title("promtool"), () => {
  const files = readdirSync(join(root, "charts/rules"));
  test("takes the rules of every container", async () => {
    expect(files.sort()).toEqual(watched.toSorted().map((name) => `${name}.yaml`));
    const paths = files.map((file) => join(root, "charts/rules", file));
    const { stdout } = await run(needs.path("promtool"), ["check", "rules", "--lint-fatal", ...paths]);
    expect(stdout.match(/SUCCESS: \d+ rules found/g)).toHaveLength(files.length);
  });

  test("sees an alert fire for a certificate that is about to expire, and none for one that is not", async () => {
    const folder = tempDir(onTestFinished);
    const series = (file: string, end: number): object => ({
      series: `tls_sidecar_certificate_expiry_timestamp_seconds{file="${file}"}`,
      values: `${end}x200`,
    });
    const fired = {
      exp_labels: { severity: "warning", file: "/a" },
      exp_annotations: { summary: "The certificate /a expires within 7 days." },
    };
    const tests = {
      rule_files: [join(root, "charts/rules/tls-sidecar.yaml")],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: [series("/a", 6 * 86_400), series("/b", 60 * 86_400)],
          alert_rule_test: [{ eval_time: "2h", alertname: "TlsSidecarCertificateExpires", exp_alerts: [fired] }],
        },
      ],
    };
    writeFileSync(join(folder, "tests.yaml"), stringify(tests));
    const { stdout } = await run(needs.path("promtool"), ["test", "rules", join(folder, "tests.yaml")]);
    expect(stdout).toContain("SUCCESS");
  });
});

describe.skipIf(whyNoHelm() !== undefined).each([3, 4] satisfies HelmMajor[])("helm %i", (major) => {
  let helm: Helm;
  beforeAll(() => {
    helm = openHelm(major, afterAll);
  });

  test("brings the alerts and the dashboards of the containers that are there, exactly as the files have them", async () => {
    const monitoring = { rules: { enabled: true, labels: { release: "p" } }, dashboards: { enabled: true } };
    const outrigger = { tlsSidecar: { main: {} }, configSync: { main: { options: { source: "dir:/a" } } }, monitoring };
    const { manifests } = await helm.render({ image: { repository: "app" }, outrigger });
    const rule = manifests.find(({ kind }) => kind === "PrometheusRule")!;
    expect(rule).toMatchObject({ metadata: { labels: { release: "p" } } });
    const { groups } = rule.spec as { groups: { name: string }[] };
    expect(groups.map(({ name }) => name)).toEqual(["outrigger", "config-sync", "tls-sidecar"]);
    for (const group of groups) {
      const file = group.name === "outrigger" ? "common" : group.name;
      const text = readFileSync(join(root, "charts/rules", `${file}.yaml`), "utf8");
      expect({ groups: [group] }).toEqual(parse(text));
    }
    const dashboards = manifests.filter(({ metadata }) => metadata.name.includes("-dashboard-"));
    expect(dashboards.map(dashboardNameOf)).toEqual(["config-sync", "tls-sidecar"]);
    for (const dashboard of dashboards) {
      expect(dashboard).toMatchObject({ metadata: { labels: { grafana_dashboard: "1" } } });
      const [text] = Object.values(dashboard["data"] as Record<string, string>);
      const file = join(root, "charts/dashboards", `${dashboardNameOf(dashboard)}.json`);
      expect(JSON.parse(text!)).toEqual(JSON.parse(readFileSync(file, "utf8")));
    }
  });

  test("brings none of them unless asked", async () => {
    const { manifests } = await helm.render({ image: { repository: "app" }, outrigger: { tlsSidecar: { main: {} } } });
    expect(manifests.map(({ kind }) => kind).sort()).toEqual(["Deployment", "ServiceAccount"]);
  });
});

const dashboardNameOf = ({ metadata }: Manifest): string => metadata.name.replace(/^.*-dashboard-outrigger-/, "");

/** The queries of a dashboard as Grafana reads them. */
function targetsOf(name: string): readonly { readonly expr: string }[] {
  const text = readFileSync(join(root, "charts/dashboards", `${name}.json`), "utf8");
  return (JSON.parse(text) as { panels: { targets: { expr: string }[] }[] }).panels.flatMap(({ targets }) => targets);
}
