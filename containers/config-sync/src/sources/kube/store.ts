// The objects that the API has, as files; the objects themselves are forgotten.
import type { FileEntry } from "@outrigger/files";

import type { Layer } from "../../merge.ts";
import type { KubeObject } from "./api.ts";

export type StoreSettings = {
  /** Of the objects that are asked for: their kind is not said in lists. */
  readonly kind: "configmap" | "secret";
  /** Names that are unique across objects: `namespace_<ns>.<kind>_<name>.<key>`. */
  readonly isUnique: boolean;
  /** The annotation that names the folder of an object's files. */
  readonly folderAnnotation: string | undefined;
};

export type Store = {
  /** Begins anew: what is not put again until `finish` is gone then. */
  begin(): void;
  finish(): void;
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** One layer for each object, in the order of namespace and name. */
  layers(): Layer[];
  readonly size: number;
};

const keyOf = ({ metadata = {} }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;

export function createStore(settings: StoreSettings): Store {
  let objects = new Map<string, ReadonlyMap<string, FileEntry>>();
  let next: typeof objects | undefined;
  return {
    begin: () => void (next = new Map()),
    finish: () => {
      objects = next ?? objects;
      next = undefined;
    },
    put: (object) => void (next ?? objects).set(keyOf(object), filesOf(object, settings)),
    remove: (object) => void (next ?? objects).delete(keyOf(object)),
    layers: () =>
      [...objects]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, files]) => ({ source: `${settings.kind} ${key}`, files })),
    get size() {
      return objects.size;
    },
  };
}

function filesOf(object: KubeObject, { kind, isUnique, folderAnnotation }: StoreSettings): Map<string, FileEntry> {
  const { metadata = {}, data = {}, binaryData = {} } = object;
  const folder = folderAnnotation === undefined ? undefined : metadata.annotations?.[folderAnnotation];
  const prefix = folder === undefined || folder === "" ? "" : `${folder.replace(/\/+$/, "")}/`;
  const nameOf = (key: string): string =>
    prefix + (isUnique ? `namespace_${metadata.namespace}.${kind}_${metadata.name}.${key}` : key);
  const encoding = kind === "secret" ? "base64" : "utf8";
  return new Map([
    ...Object.entries(data).map(([key, text]): [string, FileEntry] => [
      nameOf(key),
      { content: Buffer.from(text, encoding) },
    ]),
    ...Object.entries(binaryData).map(([key, text]): [string, FileEntry] => [
      nameOf(key),
      { content: Buffer.from(text, "base64") },
    ]),
  ]);
}
