// Volumes as the kubelet lays them out: ConfigMaps and Secrets as folders that change by one swap of `..data`, empty folders
// that everybody in the pod may write to, and the pod's fsGroup as the owner of all of it.
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { openRevisions } from "@outrigger/files";

import type { PlainPod, Volume } from "./for-podman.ts";

/** The content of ConfigMaps and Secrets, by their names. */
export type Contents = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type Volumes = {
  /** Folders by the volumes' names. */
  readonly paths: Readonly<Record<string, string>>;
  /** Gives a ConfigMap or Secret other content, as somebody who edits it in the cluster does. */
  update(name: string, content: Readonly<Record<string, string>>): Promise<void>;
};

type Projected = { readonly object: string; readonly mode: number };

/** The ConfigMap or Secret that a volume shows; undefined for an empty folder. A mode is 0644 if nothing is said. */
function projectedBy(volume: Volume): Projected | undefined {
  const configMap = volume["configMap"] as { name: string; defaultMode?: number } | undefined;
  const secret = volume["secret"] as { secretName: string; defaultMode?: number } | undefined;
  if (configMap !== undefined) return { object: configMap.name, mode: configMap.defaultMode ?? 0o644 };
  if (secret !== undefined) return { object: secret.secretName, mode: secret.defaultMode ?? 0o644 };
  return undefined;
}

/** Makes the volumes of a pod in `folder`. Throws if the content of a ConfigMap or Secret is not given. */
export async function makeVolumes(pod: PlainPod, folder: string, contents: Contents): Promise<Volumes> {
  const group = (pod.spec.securityContext?.["fsGroup"] as number | undefined) ?? 0;
  const paths: Record<string, string> = {};
  const publishers = new Map<string, (content: Readonly<Record<string, string>>) => Promise<void>>();
  // Containers run as users that may not enter a private folder.
  chmodSync(folder, 0o755);
  for (const volume of pod.spec.volumes ?? []) {
    const path = join(folder, volume.name);
    paths[volume.name] = path;
    const projected = projectedBy(volume);
    if (projected === undefined) {
      makeEmptyFolder(path, group);
      continue;
    }
    const content = contents[projected.object];
    if (content === undefined)
      throw new Error(`volume ${volume.name}: expected the content of ${projected.object}, got none`);
    const publish = await createPublisher(path, group, projected.mode);
    publishers.set(projected.object, publish);
    await publish(content);
  }
  return { paths, update: (name, content) => publishers.get(name)!(content) };
}

function makeEmptyFolder(path: string, group: number): void {
  mkdirSync(path);
  chownSync(path, 0, group);
  // mkdir's mode is subject to the umask.
  chmodSync(path, 0o2777);
}

async function createPublisher(path: string, gid: number, mode: number) {
  // With an fsGroup, the group may read whatever the mode says (kubelet: SetVolumeOwnership).
  const fileMode = gid === 0 ? mode : mode | 0o440;
  const revisions = await openRevisions(path, {
    layout: "atomic",
    fileMode,
    folderMode: 0o755,
    owner: { uid: 0, gid },
    maxFiles: 100,
    maxBytes: 10 * 2 ** 20,
  });
  chmodSync(path, 0o755);
  return async (content: Readonly<Record<string, string>>): Promise<void> => {
    const files = new Map(Object.entries(content).map(([name, text]) => [name, { content: Buffer.from(text) }]));
    await revisions.activate(await revisions.stage(files));
    await revisions.prune(0);
  };
}
