// What records are from: attributes from flags, and from files as Kubernetes' downward API writes them.
import { basename } from "node:path";

import { readBounded } from "@outrigger/files";

export type Resource = Readonly<Record<string, string>>;

const MAX_BYTES = 1024 * 1024;
/** How the attributes of such files are called in the semantic conventions. */
const PREFIXES: Readonly<Record<string, string>> = { labels: "k8s.pod.label.", annotations: "k8s.pod.annotation." };

/** Flags come before files. Throws an error of the form `<path>: expected ..., got ...`. */
export async function loadResource(pairs: readonly string[], files: readonly string[]): Promise<Resource> {
  const resource: Record<string, string> = {};
  for (const path of files) {
    const text = (await readBounded(path, MAX_BYTES)).toString("utf8");
    for (const line of text.split("\n").filter((one) => one.trim() !== "")) {
      const [, name, value] = /^([^=]{1,400})=(".*")$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`${path}: expected lines of name="value", got ${line.slice(0, 80)}`);
      resource[`${PREFIXES[basename(path)] ?? ""}${name}`] = unquote(value!);
    }
  }
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    resource[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return resource;
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
