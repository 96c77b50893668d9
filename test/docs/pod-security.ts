// What the "restricted" level of the Pod Security Standards asks of a pod.
import type { Pod, PodContainer } from "./examples.ts";
import { containersOf } from "./examples.ts";

type Fields = Readonly<Record<string, unknown>>;

const VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
const HOST_NAMESPACES = ["hostNetwork", "hostPID", "hostIPC"];

/** What a pod does that the level forbids: none, if it would be admitted. */
export function restrictedViolations(pod: Pod): string[] {
  const { spec } = pod;
  const hosts = HOST_NAMESPACES.filter((field) => spec[field] === true);
  const volumes = (spec.volumes ?? [])
    .flatMap((volume) => Object.keys(volume).filter((key) => key !== "name"))
    .filter((kind) => !VOLUMES.has(kind))
    .map((kind) => `a volume of the kind ${kind}`);
  return [...hosts, ...volumes, ...containersOf(pod).flatMap((container) => violationsOf(container, spec))];
}

function violationsOf(container: PodContainer, spec: Pod["spec"]): string[] {
  const own = (container["securityContext"] ?? {}) as Fields;
  const effective = { ...spec.securityContext, ...own };
  const capabilities = (own["capabilities"] ?? {}) as { drop?: string[]; add?: string[] };
  const profile = (effective["seccompProfile"] as Fields | undefined)?.["type"];
  const ports = (container.ports ?? []) as readonly Fields[];
  const rules: Readonly<Record<string, boolean>> = {
    "runAsNonRoot is not true": effective["runAsNonRoot"] !== true,
    "runAsUser is 0": effective["runAsUser"] === 0,
    "privileged is true": own["privileged"] === true,
    "allowPrivilegeEscalation is not false": own["allowPrivilegeEscalation"] !== false,
    "capabilities are not dropped": capabilities.drop?.includes("ALL") !== true,
    "capabilities are added": (capabilities.add ?? []).some((name) => name !== "NET_BIND_SERVICE"),
    "seccompProfile is neither RuntimeDefault nor Localhost": profile !== "RuntimeDefault" && profile !== "Localhost",
    "a hostPort is used": ports.some((port) => port["hostPort"] !== undefined),
  };
  return Object.entries(rules).flatMap(([rule, broken]) => (broken ? [`${container.name}: ${rule}`] : []));
}
