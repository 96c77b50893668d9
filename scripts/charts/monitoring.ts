// Alert rules for Prometheus and dashboards for Grafana, from the short files in charts/monitoring: as files of their own,
// and as templates of the library chart.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, stringify } from "yaml";

export type Alert = {
  readonly name: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: "warning" | "critical";
  readonly summary: string;
};

export type Panel = {
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit?: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
};

export type Monitoring = { readonly alerts: readonly Alert[]; readonly panels: readonly Panel[] };

/** What is watched of every container. */
const COMMON = "common";

export const readMonitoring = (name: string, repository: string): Monitoring => {
  const file = join(repository, "charts/monitoring", `${name}.yaml`);
  return existsSync(file) ? (parse(readFileSync(file, "utf8")) as Monitoring) : { alerts: [], panels: [] };
};

type Group = { readonly name: string; readonly rules: readonly Record<string, unknown>[] };

/** The group of rules that Prometheus reads, of one container or of all. */
export const groupOf = (name: string, { alerts }: Monitoring): Group => ({
  name: name === COMMON ? "outrigger" : name,
  rules: alerts.map(({ name: alert, expr, for: delay, severity, summary }) => ({
    alert,
    expr,
    ...(delay === undefined ? {} : { for: delay }),
    labels: { severity },
    annotations: { summary },
  })),
});

const WIDTH = 12;
const HEIGHT = 8;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** Two panels a row, each over time. */
const panelOf = ({ title, unit, queries }: Panel, index: number): Record<string, unknown> => ({
  id: index + 1,
  type: "timeseries",
  title,
  datasource: DATASOURCE,
  gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit: unit ?? "short", min: 0 }, overrides: [] },
  targets: queries.map(({ expr, legend }, query) => ({
    refId: String.fromCodePoint(65 + query),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
  })),
});

/** A dashboard of one container: its own panels, then those of every container. */
export function dashboardOf(name: string, own: Monitoring, common: Monitoring): Record<string, unknown> {
  // The metrics of every container are everybody's: only the pods that have this container are shown. Where Prometheus has a
  // label `container` of its own, the container's is renamed.
  const [asItIs, renamed] = ["container", "exported_container"].map(
    (label) => `outrigger_build_info{${label}="${name}"}`,
  );
  const scoped = common.panels.map((panel) => ({
    ...panel,
    queries: panel.queries.map(({ expr, legend }) => ({
      expr: `${expr} and on (pod, instance) (${asItIs!} or ${renamed!})`,
      legend,
    })),
  }));
  return {
    uid: `outrigger-${name}`,
    title: `Outrigger: ${name}`,
    tags: ["outrigger"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Data source" }] },
    panels: [...own.panels, ...scoped].map(panelOf),
  };
}

export type ChartFile = { readonly path: string; readonly text: string };

/** The rules and the dashboards of these containers, as files for those who have no use for a chart. */
export function monitoringFiles(names: readonly string[], repository: string): ChartFile[] {
  const common = readMonitoring(COMMON, repository);
  const rules = [COMMON, ...names].flatMap((name) => {
    const own = readMonitoring(name, repository);
    const text = stringify({ groups: [groupOf(name, own)] }, { lineWidth: 0 });
    return own.alerts.length === 0 ? [] : [{ path: `charts/rules/${name}.yaml`, text }];
  });
  const dashboards = names.flatMap((name) => {
    const own = readMonitoring(name, repository);
    const text = JSON.stringify(dashboardOf(name, own, common), null, 2);
    return own.panels.length === 0 ? [] : [{ path: `charts/dashboards/${name}.json`, text }];
  });
  return [...rules, ...dashboards];
}

/** Text in which a template finds nothing to do. */
const literal = (text: string): string => text.replaceAll("{{", '{{ "{{" }}');

/** The same as templates: a group of rules as YAML, and a dashboard as JSON, by the container's name. */
export function monitoringTemplates(names: readonly string[], repository: string): string {
  const common = readMonitoring(COMMON, repository);
  const out = ["{{- /* Generated from ../../monitoring: npm run generate. */ -}}"];
  for (const name of [COMMON, ...names]) {
    const own = readMonitoring(name, repository);
    const group = own.alerts.length === 0 ? "" : literal(stringify(groupOf(name, own), { lineWidth: 0 }));
    out.push(`{{- define "outrigger.rules.${name}" -}}`, `${group}{{- end -}}`);
    if (name === COMMON) continue;
    const dashboard = own.panels.length === 0 ? "" : literal(JSON.stringify(dashboardOf(name, own, common)));
    out.push(`{{- define "outrigger.dashboard.${name}" -}}`, `${dashboard}{{- end -}}`);
  }
  return `${out.join("\n")}\n`;
}
