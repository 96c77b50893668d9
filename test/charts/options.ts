// Whether the containers understand the options that a rendered pod gives them.
import { prefixOf, resolveOptions } from "@outrigger/options";
import { tableOf } from "@outrigger/runtime";

import { containerNames, loadContainer } from "../../scripts/containers.ts";
import type { PodContainer } from "../docs/examples.ts";
import { containersOf } from "../docs/examples.ts";
import type { Manifest, Rendered } from "./helm.ts";

const containers = await Promise.all(containerNames().map((name) => loadContainer(name)));

/** What the containers of ours have against the options that they would be started with. */
export function optionProblems({ manifests, pod }: Rendered): string[] {
  return containersOf(pod).flatMap((each) => {
    const container = containers.find(({ name }) => each.image.startsWith(`outrigger/${name}:`));
    if (container === undefined) return [];
    const env = Object.fromEntries((each.env ?? []).map(({ name, value }) => [name, value]));
    const readFile = (): string => mountedOptions(each, manifests);
    const table = tableOf(container);
    const { problems } = resolveOptions(container.name, table, { argv: each.args ?? [], env, readFile });
    const given = (each.args ?? []).length + Object.keys(env).length;
    return given === 0 ? [...problems, `${each.name}: no ${prefixOf(container.name)} options`] : problems;
  });
}

function mountedOptions({ name }: PodContainer, manifests: readonly Manifest[]): string {
  const map = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === `my-app-${name}`);
  return (map!["data"] as Record<string, string>)["options.json"]!;
}
