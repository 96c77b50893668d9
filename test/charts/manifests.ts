// What the Kubernetes API would say of a manifest: its own schemas, and what their names point at within one release.
import type { Model } from "@kubernetes-models/base";
import { Deployment, StatefulSet } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1";
import { ConfigMap, Pod, Service, ServiceAccount } from "kubernetes-models/v1";

import type { Pod as PodTemplate } from "../docs/examples.ts";
import { containersOf } from "../docs/examples.ts";
import type { Manifest } from "./helm.ts";

type Kind = { new (data: never): Model<unknown>; readonly apiVersion: string; readonly kind: string };

const KINDS = new Map(
  (
    [
      Deployment,
      StatefulSet,
      HorizontalPodAutoscaler,
      NetworkPolicy,
      PodDisruptionBudget,
      ClusterRole,
      ClusterRoleBinding,
      Role,
      RoleBinding,
      ConfigMap,
      Pod,
      Service,
      ServiceAccount,
    ] as unknown as Kind[]
  ).map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind]),
);

/** Those of the Prometheus operator, whose schemas no package has. */
const CUSTOM = new Set(["monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 PrometheusRule"]);

/** What the schema of its kind has against a manifest. */
export function schemaProblems(manifest: Manifest): string[] {
  const name = `${manifest.apiVersion} ${manifest.kind}`;
  if (CUSTOM.has(name)) return [];
  const kind = KINDS.get(name);
  if (kind === undefined) return [`${name}: an unknown kind`];
  try {
    new kind(manifest as never).validate();
    return [];
  } catch (error) {
    return [`${name} ${manifest.metadata.name}: ${(error as Error).message}`];
  }
}

type Mounted = { readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[] };

/** Names in a pod that point at nothing, and names that are there twice. */
export function podProblems(pod: PodTemplate): string[] {
  const volumes = (pod.spec.volumes ?? []).map((volume) => String(volume["name"]));
  const containers = containersOf(pod);
  const missing = containers.flatMap(({ name, volumeMounts = [] }: Mounted & { name: string }) => [
    ...volumeMounts.filter((mount) => !volumes.includes(mount.name)).map((mount) => `${name}: no volume ${mount.name}`),
    ...twice(volumeMounts.map(({ mountPath }) => mountPath)).map((path) => `${name}: ${path} twice`),
  ]);
  const names = containers.map(({ name }) => name);
  return [
    ...missing,
    ...twice(names).map((name) => `${name} twice`),
    ...twice(volumes).map((name) => `volume ${name} twice`),
  ];
}

const twice = (names: readonly string[]): string[] => names.filter((name, index) => names.indexOf(name) !== index);
