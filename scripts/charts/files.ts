// The generated files of the charts: the templates' table of containers, the values' schema, and the README's tables.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { prefixOf } from "@outrigger/options";
import type { AnyContainer } from "@outrigger/runtime";
import { stringify } from "yaml";

import { aboutContainer, keyOf } from "./entries.ts";
import { SHARED, valuesSchema } from "./values-schema.ts";

type Described = {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly additionalProperties?: Described | boolean;
};

/** The table that `outrigger.table` gives the templates. */
export function tableTemplate(containers: readonly AnyContainer[]): string {
  const table = Object.fromEntries(containers.map((container) => [keyOf(container.name), aboutContainer(container)]));
  return `{{- /* Generated from the containers' definitions and ../../entries: npm run generate. */ -}}
{{- define "outrigger.table" -}}
${stringify(table)}{{- end -}}
`;
}

export const schemaJson = (containers: readonly AnyContainer[]): string =>
  JSON.stringify(valuesSchema(containers), null, 2);

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** One row for each value; objects whose fields are known have a row for each field. */
function rowsOf(values: Readonly<Record<string, Described>>, prefix = ""): string[] {
  return Object.entries(values).flatMap(([key, described]) => {
    const path = `${prefix}${key}`;
    const { type, properties, description = "" } = described;
    const form = described.enum?.map((value) => `\`${value}\``).join(", ") ?? [type ?? ""].flat().join(" or ");
    const row = `| \`${path}\` | ${cell(form)} | ${cell(description)} |`;
    return properties === undefined ? [row] : [row, ...rowsOf(properties, `${path}.`)];
  });
}

const tableOfRows = (rows: readonly string[]): string =>
  ["| value | form | what it says |", "|---|---|---|", ...rows].join("\n");

/** The parts of charts/README.md by name. */
export function chartParts(containers: readonly AnyContainer[], repository: string): Readonly<Record<string, string>> {
  const schema = valuesSchema(containers) as { properties: Record<string, Described> };
  const first = schema.properties[keyOf(containers[0]!.name)]!.additionalProperties as Described;
  const instance = Object.fromEntries(
    Object.entries(first.properties!).map(([key, described]) =>
      key === "options" || key === "config" ? [key, { ...described, properties: undefined }] : [key, described],
    ),
  ) as Record<string, Described>;
  const app = JSON.parse(readFileSync(join(repository, "charts/outrigger-app/values.schema.json"), "utf8")) as {
    properties: Record<string, Described>;
  };
  const listed = containers.map(
    ({ name, summary }) =>
      `| \`outrigger.${keyOf(name)}.<instance>\` | [\`${name}\`](../containers/${name}/README.md) | \`${prefixOf(name)}_CONFIG_INLINE\` | ${cell(summary)} |`,
  );
  return {
    "chart containers": [
      "| values | container | variable of its options | what it does |",
      "|---|---|---|---|",
      ...listed,
    ].join("\n"),
    "values of an instance": tableOfRows(rowsOf(instance)),
    "values beside the containers": tableOfRows(rowsOf(SHARED as Record<string, Described>, "outrigger.")),
    "values of the application": tableOfRows(rowsOf(app.properties)),
  };
}
