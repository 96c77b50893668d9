// How the examples of a container use its image: flags and variables in pods, Compose files and `docker run` lines.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

/** One use of an image, as its entry point sees it. */
export type Use = {
  /** The part of the image's name before the colon, and after it. */
  readonly image: string;
  readonly tag: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** A container of a pod, as far as the tests look into it. */
export type PodContainer = {
  readonly name: string;
  readonly image: string;
  readonly restartPolicy?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [probeOrSetting: string]: unknown;
};

export type Pod = {
  readonly spec: {
    readonly securityContext?: Readonly<Record<string, unknown>>;
    readonly initContainers?: readonly PodContainer[];
    readonly containers: readonly PodContainer[];
    readonly volumes?: readonly Readonly<Record<string, unknown>>[];
    readonly [field: string]: unknown;
  };
};

/** The name and the tag of an image. */
function splitImage(image: string): { image: string; tag: string } {
  const [, name = image, tag = ""] = /^(.*?)(?::([^:/]+))?$/.exec(image) ?? [];
  return { image: name, tag };
}

export const readPod = (folder: string): Pod =>
  parse(readFileSync(join(folder, "examples", "pod.yaml"), "utf8")) as Pod;

export const containersOf = ({ spec }: Pod): PodContainer[] => [...(spec.initContainers ?? []), ...spec.containers];

export const usesInPod = (pod: Pod): Use[] =>
  containersOf(pod).map(({ image, args = [], env = [] }) => ({
    ...splitImage(image),
    args,
    env: Object.fromEntries(env.map(({ name, value }) => [name, value ?? ""])),
  }));

type Compose = {
  readonly services: Readonly<
    Record<string, { image: string; command?: string[]; environment?: Record<string, string | number> }>
  >;
};

export const usesInCompose = (text: string): Use[] =>
  Object.values((parse(text) as Compose).services).map(({ image, command = [], environment = {} }) => ({
    ...splitImage(image),
    args: command,
    env: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
  }));

/** The `docker run` lines in the shell blocks of a README that run this image. */
export function usesInReadme(markdown: string, image: string): Use[] {
  const blocks = [...markdown.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!.replaceAll("\\\n", " "));
  const commands = blocks.flatMap((block) => block.split("\n")).filter((line) => line.startsWith("docker run "));
  return commands.flatMap((command) => {
    const words = command.split(/\s+/);
    const at = words.findIndex((word) => word.startsWith(`${image}:`));
    if (at === -1) return [];
    const variables = words.slice(0, at).filter((_, index) => words[index - 1] === "-e");
    const env = Object.fromEntries(variables.map((text) => [text.split("=")[0], text.slice(text.indexOf("=") + 1)]));
    return [{ ...splitImage(words[at]!), args: words.slice(at + 1).filter((word) => word !== ""), env }];
  });
}
