// A pod that podman runs, driven from outside as a cluster and its users would.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Answer, Cleanup, RequestInit } from "@outrigger/testing";
import { request, tempDir, until } from "@outrigger/testing";

import type { PlainPod } from "./for-podman.ts";
import { forPodman, readPlainPod } from "./for-podman.ts";
import { podman, tryPodman } from "./podman.ts";
import type { Contents } from "./volumes.ts";
import { makeVolumes } from "./volumes.ts";

export type PodSettings = {
  readonly text: string;
  readonly cleanup: Cleanup;
  /** What is in the ConfigMaps and Secrets that it mounts. */
  readonly contents?: Contents;
  /** Changes the pod before it is started: what a test of a broken pod breaks. */
  readonly change?: (pod: PlainPod) => void;
  /** Changes the volumes, by their folders, before the pod is started. */
  readonly prepare?: (paths: Readonly<Record<string, string>>) => void;
  /** A network of podman's that it joins; its own otherwise. */
  readonly network?: string;
};

export type RunningPod = {
  readonly ip: string;
  readonly spec: PlainPod;
  /** A request to a port of the pod. */
  get(port: number, path: string, init?: RequestInit): Promise<Answer>;
  /** Standard output and standard error of a container. */
  logs(container: string): Promise<string>;
  /** Runs a command in a container. */
  exec(container: string, ...command: readonly string[]): Promise<string>;
  inspect<T>(container: string, format: string): Promise<T>;
  update(name: string, content: Readonly<Record<string, string>>): Promise<void>;
  /** Waits until the admin port of the container says that it is ready. */
  ready(container: string): Promise<void>;
  /** SIGTERM to a container, SIGKILL after 20 s, and its exit status. */
  stop(container: string): Promise<number>;
  readonly paths: Readonly<Record<string, string>>;
};

let count = 0;

export const readExample = (container: string, file = "pod.yaml"): string =>
  readFileSync(join(import.meta.dirname, "../../containers", container, "examples", file), "utf8");

/** Starts a pod and takes it down afterwards. */
export async function startPod({
  text,
  cleanup,
  contents = {},
  change,
  prepare,
  network,
}: PodSettings): Promise<RunningPod> {
  const pod = readPlainPod(text);
  change?.(pod);
  const name = `outrigger-test-${process.pid}-${++count}`;
  const folder = tempDir(cleanup);
  const volumes = await makeVolumes(pod, folder, contents);
  prepare?.(volumes.paths);
  const file = join(folder, "pod.yaml");
  writeFileSync(file, forPodman(pod, name, volumes.paths));
  cleanup(async () => void (await tryPodman("pod", "rm", "--force", "--time", "0", name)));
  await podman("kube", "play", ...(network === undefined ? [] : ["--network", network]), file);
  const ip = await addressOf(name);
  const full = (container: string): string => `${name}-${container}`;
  const get: RunningPod["get"] = (port, path, init) => request({ host: ip, port }, path, init);
  return {
    ip,
    spec: pod,
    paths: volumes.paths,
    update: volumes.update,
    get,
    logs: async (container) => {
      const { stdout, stderr } = await tryPodman("logs", full(container));
      return stdout + stderr;
    },
    exec: (container, ...command) => podman("exec", full(container), ...command),
    inspect: async <T>(container: string, format: string) =>
      JSON.parse(await podman("inspect", "--format", `{{json ${format}}}`, full(container))) as T,
    ready: (container) => waitUntilReady(pod, container, get),
    stop: async (container) => {
      await podman("stop", "--time", "20", full(container));
      return Number(await podman("inspect", "--format", "{{.State.ExitCode}}", full(container)));
    },
  };
}

async function addressOf(pod: string): Promise<string> {
  const infra = await podman("pod", "inspect", "--format", "{{.InfraContainerID}}", pod);
  const networks = await podman("inspect", "--format", "{{json .NetworkSettings.Networks}}", infra);
  return Object.values(JSON.parse(networks) as Record<string, { IPAddress: string }>)[0]!.IPAddress;
}

async function waitUntilReady(pod: PlainPod, container: string, get: RunningPod["get"]): Promise<void> {
  const ports = pod.spec.containers.find(({ name }) => name === container)?.ports ?? [];
  const admin = ports.find(({ name }) => name === "admin")!.containerPort;
  await until(
    async () => {
      const answer = await get(admin, "/readyz").catch(() => undefined);
      return answer?.status === 200;
    },
    { describe: `${container} to be ready`, timeoutMs: 30_000 },
  );
}
