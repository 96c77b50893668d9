// Native sidecars - init containers that restart always - came with Kubernetes 1.29. For older clusters, and for podman,
// the same pod with plain containers.
import type { Document, YAMLMap } from "yaml";
import { YAMLSeq, parseDocument } from "yaml";

/**
 * The text of a pod with its native sidecars as plain containers, before the application's. What is lost is the order: all
 * start at once, and all are stopped at once. An application that needs its configuration to start gets it from an init
 * container instead: config-sync, run once.
 */
export function plainPod(text: string): string {
  const pod = parseDocument(text);
  const native = sequence(pod, "initContainers").filter((item) => item.get("restartPolicy") === "Always");
  const once = sequence(pod, "initContainers").filter((item) => !native.includes(item));
  const ordinary = sequence(pod, "containers");
  for (const container of native) {
    container.delete("restartPolicy");
    // Said of native sidecars.
    delete container.commentBefore;
  }
  setSequence(pod, "containers", [...native, ...ordinary]);
  const first = native.filter((item) => /(^|\/)config-sync:/.test(String(item.get("image")))).map(runOnce);
  if (once.length + first.length > 0) setSequence(pod, "initContainers", [...once, ...first]);
  else pod.deleteIn(["spec", "initContainers"]);
  return pod.toString({ lineWidth: 0 });
}

/** What tells the application, which is not there yet. */
const TELLS = /^--(notify|confirm|wait-for)=/;

/** The same container as one that publishes the first revision and ends. */
function runOnce(container: YAMLMap): YAMLMap {
  const copy = container.clone() as YAMLMap;
  copy.set("name", `${String(container.get("name"))}-first`);
  const args = container.get("args") as YAMLSeq;
  const own = (args.toJSON() as string[]).filter((text) => !TELLS.test(text));
  copy.set("args", [...own, "--once"]);
  for (const field of ["ports", "startupProbe", "readinessProbe", "livenessProbe"]) copy.delete(field);
  return copy;
}

function sequence(pod: Document, key: string): YAMLMap[] {
  const found = pod.getIn(["spec", key]);
  return found instanceof YAMLSeq ? (found.items as YAMLMap[]) : [];
}

function setSequence(pod: Document, key: string, items: readonly YAMLMap[]): void {
  const list = new YAMLSeq<YAMLMap>();
  list.items.push(...items);
  pod.setIn(["spec", key], list);
}
