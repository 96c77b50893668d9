// The JSON Schema of the library chart's values: the instances of each container, whose options are those of its table.
import { jsonSchemaOf } from "@outrigger/options";
import { tableOf } from "@outrigger/runtime";
import type { AnyContainer } from "@outrigger/runtime";

import { keyOf, readEntry } from "./entries.ts";

type Schema = Readonly<Record<string, unknown>>;

const object = (description: string): Schema => ({ type: "object", description });
const list = (description: string): Schema => ({ type: "array", items: { type: "object" }, description });
const flag = (description: string): Schema => ({ type: "boolean", description });
const strict = (description: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  additionalProperties: false,
  description,
  properties,
});
const text = (description: string): Schema => ({ type: "string", description });
const labels: Schema = { ...object("Its labels."), additionalProperties: { type: "string" } };

const image = strict("The image; by default that of the chart's version.", {
  registry: text("The registry, before the repository."),
  repository: text("The repository."),
  tag: text("The tag."),
  digest: { ...text("The digest, which wins over the tag."), pattern: "^(|sha256:[0-9a-f]{64})$" },
  pullPolicy: { enum: ["Always", "IfNotPresent", "Never"], description: "When the image is pulled." },
});

const probe: Schema = { type: ["object", "boolean"], description: "Fields over the default ones; `false` for none." };

/** The fields of an instance, beside `mode`, `options` and `config`. */
const INSTANCE: Readonly<Record<string, Schema>> = {
  enabled: { ...flag("Whether it is there."), default: true },
  image,
  resources: object("Requests and limits, over the default ones."),
  securityContext: object("Fields over the default ones."),
  probes: strict("Its probes.", { startup: probe, readiness: probe, liveness: probe }),
  extraEnv: list("Further variables, as Kubernetes has them."),
  extraArgs: { type: "array", items: { type: "string" }, description: "Further flags. They win over `options`." },
  volumeMounts: list("What it mounts, as Kubernetes has it."),
  patch: object("Fields over the container as it would be."),
};

/** A name that a container's can end with. */
const INSTANCE_NAME = { pattern: "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$" };

const mount: Schema = {
  anyOf: [
    { type: "string", pattern: "^/" },
    { type: "object", required: ["mountPath"] },
  ],
};

/** What stands beside the containers. */
export const SHARED: Readonly<Record<string, Schema>> = {
  global: {
    type: "object",
    description: "What all charts share.",
    properties: {
      imageRegistry: text("The registry of all images of ours."),
      openshift: flag("Leave users and groups to the cluster."),
    },
  },
  volumes: {
    type: "object",
    description:
      "Volumes by name, as Kubernetes has them, each with `mounts`: the path (or the mount as Kubernetes has it) by the name of a container of the pod.",
    additionalProperties: {
      type: "object",
      properties: { mounts: { type: "object", additionalProperties: mount } },
    },
  },
  monitoring: strict("How Prometheus finds the containers, and what it makes of them.", {
    annotations: flag(
      "`prometheus.io/` annotations on the pod: of the application's metrics if an adapter shows them.",
    ),
    podMonitor: strict("A PodMonitor of the Prometheus operator.", {
      enabled: flag("Whether there is one."),
      interval: text("How often it scrapes."),
      labels,
    }),
    rules: strict("A PrometheusRule of the operator with the alerts for the containers that are there.", {
      enabled: flag("Whether there is one. Once is enough for a Prometheus: the alerts are about all pods."),
      labels,
    }),
    dashboards: strict("ConfigMaps with a dashboard for each container, as Grafana's sidecar loads them.", {
      enabled: flag("Whether there are such. Once is enough for a Grafana."),
      labels: { ...labels, description: 'Labels; by default `grafana_dashboard: "1"`.' },
    }),
  }),
};

/** Helm 4 takes "1.2" and 1.2 in one enumeration for the same value twice, and refuses the schema: each type gets its own. */
function apart(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(apart);
  if (typeof schema !== "object" || schema === null) return schema;
  const { enum: values, ...rest } = schema as { enum?: readonly unknown[] };
  const others = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, apart(value)]));
  if (values === undefined) return others;
  const [texts, numbers] = ["string", "number"].map((type) => values.filter((value) => typeof value === type));
  if (texts!.length + numbers!.length < values.length || numbers!.length === 0) return schema;
  return { ...others, anyOf: [{ enum: texts }, { enum: numbers }] };
}

function instanceSchema(container: AnyContainer): Schema {
  const { once, without = [] } = readEntry(container.name);
  const { $schema: _, title: __, ...options } = jsonSchemaOf(container.name, tableOf(container));
  const offered = Object.entries(options["properties"] as Record<string, Schema>);
  const properties = apart(Object.fromEntries(offered.filter(([key]) => !without.includes(key))));
  const modes = once === true ? ["native", "sidecar", "init"] : ["native", "sidecar"];
  return strict(`${container.name}: ${container.summary}`, {
    mode: {
      enum: modes,
      description:
        "`native`: an init container that goes on running (Kubernetes 1.29 and later). `sidecar`: a plain container beside the application." +
        (once === true ? " `init`: runs once, before the application (of config-sync only)." : ""),
    },
    options: {
      ...options,
      properties,
      description: "The container's options, by the keys of its README, in a variable of the container.",
    },
    config: {
      ...options,
      properties,
      description: "The same in a ConfigMap, with `options` over it.",
    },
    ...INSTANCE,
  });
}

/** The schema of the values below the library chart's name. */
export function valuesSchema(containers: readonly AnyContainer[]): Schema {
  const instances = containers.map((container) => [
    keyOf(container.name),
    {
      type: "object",
      description: `${container.name}, by the names of its instances.`,
      propertyNames: INSTANCE_NAME,
      additionalProperties: instanceSchema(container),
    },
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...strict("Containers of Outrigger in a pod.", { ...Object.fromEntries(instances), ...SHARED }),
  };
}
