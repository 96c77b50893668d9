// What the kernel itself says of a running container: who it is, what it may do, what it may write, how much it may hold.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import type { RunningPod } from "./pod.ts";

const MIB = 2 ** 20;

/** Fails unless the container runs as 65532 without any capability, cannot gain any, and its root file system is read-only. */
export async function expectLeastPrivilege(pod: RunningPod, container: string): Promise<void> {
  const process = await pod.inspect<number>(container, ".State.Pid");
  const status = readFileSync(`/proc/${process}/status`, "utf8");
  const field = (name: string): string[] => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)![1]!.split(/\s+/);
  expect(field("Uid")).toEqual(["65532", "65532", "65532", "65532"]);
  expect(field("CapEff")).toEqual(["0000000000000000"]);
  expect(field("CapBnd")).toEqual(["0000000000000000"]);
  expect(field("NoNewPrivs")).toEqual(["1"]);
  const mounts = readFileSync(`/proc/${process}/mountinfo`, "utf8").split("\n");
  const root = mounts.find((line) => line.split(" ")[4] === "/")!;
  expect(root.split(" ")[5]!.split(",")).toContain("ro");
}

/** Fails unless the container has a memory limit, has stayed below it, and nothing of it was killed for memory. */
export async function expectMemoryKept(pod: RunningPod, container: string): Promise<void> {
  const limit = await pod.inspect<number>(container, ".HostConfig.Memory");
  expect(limit).toBe(128 * MIB);
  expect(await pod.inspect<boolean>(container, ".State.OOMKilled")).toBe(false);
  const process = await pod.inspect<number>(container, ".State.Pid");
  expect(anonymousMemoryOf(process)).toBeLessThan(limit * 0.75);
  expect(limitOf(process)).toBe(limit);
}

/** RssAnon, in bytes: what the container holds of its own (proc_pid_status(5)). */
export const anonymousMemoryOf = (process: number): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))![1]) * 1024;

/** The limit that the kernel enforces: that of the memory controller, in version 1 or 2 of control groups. */
function limitOf(process: number): number {
  const groups = readFileSync(`/proc/${process}/cgroup`, "utf8").split("\n");
  const path = (controller: string): string | undefined =>
    groups.find((line) => line.split(":")[1] === controller)?.split(":")[2];
  const first = join("/sys/fs/cgroup/memory", path("memory") ?? "", "memory.limit_in_bytes");
  const second = join("/sys/fs/cgroup", path("") ?? "", "memory.max");
  return Number(readFileSync(existsSync(first) ? first : second, "utf8"));
}
