// The example pods as `podman kube play` takes them. Podman 4 lacks some of what the kubelet does, and each of those is
// made up for here and in volumes.ts, so that nothing of the examples themselves has to be changed for the tests.
import { parse, parseAllDocuments, stringify } from "yaml";

import { plainPod } from "../../scripts/images/plain-pod.ts";

type Fields = Record<string, unknown>;
export type Volume = { name: string; [source: string]: unknown };
export type PlainContainer = Fields & {
  name: string;
  image: string;
  securityContext?: Fields;
  resources?: Fields;
  ports?: { name: string; containerPort: number }[];
};
export type PlainPod = {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Fields & {
    containers: PlainContainer[];
    initContainers?: PlainContainer[];
    volumes?: Volume[];
    securityContext?: Fields;
  };
};

/** Fields of a container that are not for podman. */
const KUBELETS = new Set(["startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "ports"]);

/** Podman 4.3 removes an init container while it takes it for running still, and then fails; kept ones it waits for. */
const KEEP_INIT = { "io.podman.annotations.init.container.type": "always" };

/** The pod of an example, whose other documents (ConfigMaps, Services) are left out, with plain containers. */
export const readPlainPod = (text: string): PlainPod => {
  const pod = parseAllDocuments(text).find((document) => document.get("kind") === "Pod");
  if (pod === undefined) throw new Error("expected a document of the kind Pod, got none");
  return parse(plainPod(pod.toString())) as PlainPod;
};

/**
 * The text for `podman kube play`, under a name of its own. Changed are:
 * - native sidecars: plain containers, started in the same order;
 * - volumes: folders that volumes.ts has filled as the kubelet would (`paths` by the name of the volume), because podman
 *   knows neither fsGroup nor changes of a ConfigMap;
 * - probes and lifecycle hooks: left out, as podman runs probes with a shell inside of the container; the tests probe from
 *   outside, as the kubelet does;
 * - ports: left out, which podman would take from the machine's own; the pod's address is reached without;
 * - runAsUser and runAsGroup of the pod: given to each container, for podman takes them only there.
 */
export function forPodman(pod: PlainPod, name: string, paths: Readonly<Record<string, string>>): string {
  const { securityContext: shared = {}, volumes = [], ...spec } = pod.spec;
  const ids = Object.fromEntries(["runAsUser", "runAsGroup"].flatMap((id) => (id in shared ? [[id, shared[id]]] : [])));
  const container = (one: PlainContainer): Fields => ({
    ...Object.fromEntries(Object.entries(one).filter(([field]) => !KUBELETS.has(field))),
    securityContext: { ...ids, ...one.securityContext },
  });
  return stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...KEEP_INIT }, name },
    spec: {
      ...spec,
      // Always would be for init containers too.
      restartPolicy: "OnFailure",
      securityContext: shared,
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(container) }),
      containers: spec.containers.map(container),
      volumes: volumes.map(({ name: volume }) => ({
        name: volume,
        hostPath: { path: paths[volume], type: "Directory" },
      })),
    },
  });
}
