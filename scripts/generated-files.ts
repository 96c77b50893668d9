// What is generated from the containers' tables, and into which files: one table per fact, and everything that people
// and tools read about it follows from there.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { commandsMarkdown, jsonSchemaOf, markdownOf } from "@outrigger/options";
import {
  commandsOf,
  commonMetrics,
  endpointsMarkdown,
  exitCodesMarkdown,
  metricsMarkdown,
  tableOf,
} from "@outrigger/runtime";
import type { AnyContainer } from "@outrigger/runtime";
import { format } from "oxfmt";
import type { FormatConfig } from "oxfmt";

import { chartParts, schemaJson, tableTemplate } from "./charts/files.ts";
import { monitoringFiles, monitoringTemplates } from "./charts/monitoring.ts";
import { renderedFiles } from "./charts/render.ts";
import { whyNoHelm } from "./charts/tools.ts";
import { containerFolder, containerNames, loadContainer } from "./containers.ts";
import { dockerfileOf } from "./images/dockerfile.ts";
import { plainPod } from "./images/plain-pod.ts";
import { fillParts } from "./markers.ts";

/** A file as it should be. `path` is relative to the repository. */
export type GeneratedFile = { readonly path: string; readonly text: string };

export type Generated = { readonly files: readonly GeneratedFile[]; readonly problems: readonly string[] };

/** All generated files as their sources say they should be; nothing is written. */
export async function generateFiles(repository: string): Promise<Generated> {
  const containers = await Promise.all(containerNames(repository).map((name) => loadContainer(name, repository)));
  const files: GeneratedFile[] = [];
  const problems: string[] = [];
  const fill = (path: string, parts: Readonly<Record<string, string>>, folder?: string): void => {
    const filled = fillFile(repository, path, { parts, folder });
    problems.push(...filled.problems);
    files.push({ path, text: filled.text });
  };
  fill("README.md", { containers: containersTable(containers) });
  fill("charts/README.md", chartParts(containers, repository), join(repository, "charts"));
  files.push(...(await chartFiles(containers, repository)));
  for (const container of containers) {
    const folder = `containers/${container.name}`;
    fill(`${folder}/README.md`, partsOf(container), containerFolder(container.name, repository));
    files.push({ path: `${folder}/options.schema.json`, text: await schemaText(container, repository) });
    files.push({ path: `${folder}/Dockerfile`, text: dockerfileOf(container, repository) });
    const pod = readText(join(repository, folder, "examples", "pod.yaml")) ?? "";
    files.push({
      path: `${folder}/examples/pod.plain.yaml`,
      text: await formatted("pod.plain.yaml", plainPod(pod), repository),
    });
  }
  return { files, problems };
}

async function chartFiles(containers: readonly AnyContainer[], repository: string): Promise<GeneratedFile[]> {
  const names = containers.map(({ name }) => name);
  const monitoring = monitoringFiles(names, repository).map(async ({ path, text }) => ({
    path,
    text: await formatted(path, text, repository),
  }));
  const library = [
    { path: "charts/outrigger/templates/_table.tpl", text: tableTemplate(containers) },
    { path: "charts/outrigger/templates/_monitoring.tpl", text: monitoringTemplates(names, repository) },
    {
      path: "charts/outrigger/values.schema.json",
      text: await formatted("values.schema.json", schemaJson(containers), repository),
    },
  ];
  return [...library, ...(await Promise.all([...monitoring, ...(await rendered(names, repository, library))]))];
}

/** What Helm renders, formatted; nothing where there is no Helm. */
async function rendered(
  names: readonly string[],
  repository: string,
  library: readonly GeneratedFile[],
): Promise<Promise<GeneratedFile>[]> {
  const files = whyNoHelm() === undefined ? await renderedFiles(names, repository, library) : [];
  return files.map(async ({ path, text }) => ({ path, text: await formatted(path, text, repository) }));
}

/** The files that are not as they should be. */
export const staleFiles = ({ files }: Generated, repository: string): GeneratedFile[] =>
  files.filter(({ path, text }) => readText(join(repository, path)) !== text);

const readText = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

/** The parts of a container's README, by name; all of them have to be in it. */
const partsOf = (container: AnyContainer): Record<string, string> => ({
  options: markdownOf(container.name, tableOf(container)),
  metrics: metricsMarkdown(container.metrics),
  "metrics of every container": metricsMarkdown(commonMetrics),
  endpoints: endpointsMarkdown(),
  "exit codes": exitCodesMarkdown(),
  ...(container.commands === undefined ? {} : { commands: commandsMarkdown(container.name, commandsOf(container)) }),
});

function fillFile(
  repository: string,
  path: string,
  { parts, folder }: { parts: Readonly<Record<string, string>>; folder: string | undefined },
): { text: string; problems: readonly string[] } {
  const text = readText(join(repository, path)) ?? "";
  const contentOf = (name: string): string | undefined => parts[name] ?? exampleIn(folder, name);
  const examples = path.startsWith("containers/") ? ["examples/pod.yaml"] : [];
  return fillParts(path, text, { contentOf, required: [...Object.keys(parts), ...examples] });
}

/** A part named like a file of `examples/` (of a container) or `recipes/` and the like (of the charts) shows that file. */
function exampleIn(folder: string | undefined, name: string): string | undefined {
  const [, extension] = /^(?:examples|recipes|kustomize\/example)\/[\w-]+\.(\w+)$/.exec(name) ?? [];
  if (folder === undefined || extension === undefined) return undefined;
  const text = readText(join(folder, name));
  return text === undefined ? undefined : `\`\`\`${extension}\n${text.trimEnd()}\n\`\`\``;
}

function containersTable(containers: readonly AnyContainer[]): string {
  const rows = containers.map(
    ({ name, pattern, summary, adminPort }) =>
      `| [\`${name}\`](containers/${name}/README.md) | ${pattern} | ${summary} | ${adminPort} |`,
  );
  return ["| container | pattern | what it does | admin port |", "|---|---|---|---|", ...rows].join("\n");
}

/** The JSON Schema of the container's `--config` file. */
async function schemaText(container: AnyContainer, repository: string): Promise<string> {
  const json = JSON.stringify(jsonSchemaOf(container.name, tableOf(container)), null, 2);
  return formatted("options.schema.json", json, repository);
}

/** A text as the formatter wants it in a file of that name. */
async function formatted(name: string, text: string, repository: string): Promise<string> {
  const settings = JSON.parse(readFileSync(join(repository, ".oxfmtrc.json"), "utf8")) as FormatConfig;
  const { code, errors } = await format(name, text, settings);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
  return code;
}
