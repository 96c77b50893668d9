// All sources' files as one set, rendered.
import { LimitError } from "@outrigger/files";
import type { FileSet } from "@outrigger/files";

import { merge } from "./merge.ts";
import type { Layer } from "./merge.ts";
import type { Plan } from "./plan.ts";
import { readVariables } from "./rendering/render.ts";
import type { Source } from "./sources/source.ts";
import { inPlace } from "./watched.ts";
import { sizeOf } from "./work.ts";
import type { Work } from "./work.ts";

/** Throws when one of the sources cannot say what it has: then nothing is known of the whole. */
export async function fetchAll(work: Work): Promise<FileSet> {
  const { plan, context, changesLog } = work;
  const layers: Layer[] = [];
  for (const source of work.sources) layers.push(...(await fetchOne(work, source)));
  return compose(plan, layers, (collisions) => {
    context.metrics.collisions.cell({ job: plan.name }).set(collisions.length);
    changesLog.tell("collisions", collisions.length === 0 ? undefined : collisions.slice(0, 20).join(", "));
  });
}

/** What these layers are to the application: merged, rendered, within the limits. */
export async function compose(
  plan: Plan,
  layers: readonly Layer[],
  onCollisions: (paths: readonly string[]) => void,
): Promise<FileSet> {
  const { values } = plan;
  const { files, collisions } = merge(plan.output === undefined ? layers.map(inPlace) : layers, values.collision);
  onCollisions(collisions);
  const rendered = await render(plan, files);
  requireLimits(rendered, { maxFiles: values.maxFiles, maxBytes: values.maxSize });
  return rendered;
}

async function render({ renderers, values, env }: Plan, files: FileSet): Promise<FileSet> {
  if (renderers.length === 0) return files;
  const variables = await readVariables(env, values.renderVariables);
  let rendered = files;
  for (const renderer of renderers) rendered = await renderer(rendered, { variables, maxBytes: values.maxSize });
  return rendered;
}

async function fetchOne({ plan, context, changesLog, beat }: Work, source: Source): Promise<readonly Layer[]> {
  const { metrics, draining } = context;
  const labels = { job: plan.name, source: source.name };
  beat();
  try {
    const layers = await layersOf(plan, source, draining);
    metrics.fetches.inc({ ...labels, outcome: "ok" });
    metrics.lastFetch.cell(labels).set(Date.now() / 1000);
    changesLog.tell(source.name, undefined);
    return layers;
  } catch (error) {
    metrics.fetches.inc({ ...labels, outcome: "failed" });
    changesLog.tell(source.name, (error as Error).message);
    throw error;
  }
}

/** What a source has; throws also when that is nothing, unless nothing is to be taken seriously. */
export async function layersOf({ values }: Plan, source: Source, signal: AbortSignal): Promise<readonly Layer[]> {
  const fetched = await source.fetch(signal);
  const layers = fetched instanceof Map ? [{ source: source.name, files: fetched }] : [...(fetched as Layer[])];
  if (layers.every(({ files }) => files.size === 0) && !values.unsafeAllowEmpty)
    throw new Error(`${source.name}: expected files, got none; --unsafe-allow-empty takes that seriously`);
  return layers;
}

function requireLimits(files: FileSet, { maxFiles, maxBytes }: { maxFiles: number; maxBytes: number }): void {
  if (files.size > maxFiles)
    throw new LimitError(`sources: expected at most ${maxFiles} files, got ${files.size}`, "files");
  const bytes = sizeOf(files);
  if (bytes > maxBytes) throw new LimitError(`sources: expected at most ${maxBytes} bytes, got ${bytes}`, "bytes");
}
