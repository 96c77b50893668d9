// Podman, with settings of our own, so that it works the same in a virtual machine without systemd as on a desktop.
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { requirePrograms } from "@outrigger/testing";

export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** containers.conf(5): limits within those of whoever runs the tests, logs in files, and no need of a journal or a bus. */
function writeSettings(): string {
  const file = join(mkdtempSync(join(tmpdir(), "outrigger-podman-")), "containers.conf");
  const lines = [
    "[containers]",
    'default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]',
    'log_driver = "k8s-file"',
    "[engine]",
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    'runtime = "runc"',
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/** Makes every podman that this process starts use these settings. */
export function usePodmanSettings(): void {
  process.env["CONTAINERS_CONF"] ??= writeSettings();
}

/**
 * What the suites need: podman, what it runs containers with, and the programs of which the applications' images are
 * made. Podman needs root here, for networks and memory limits.
 */
export function requirePodman(): { readonly skip: boolean; readonly title: (text: string) => string } {
  const programs = requirePrograms(
    "podman",
    "runc",
    "catatonit",
    "busybox",
    "nginx",
    "redis-server",
    "redis-cli",
    "git",
  );
  if (process.getuid?.() === 0) return programs;
  return { skip: true, title: (text) => `${programs.title(text)} (needs root)` };
}

/** Runs podman to its end, whatever its status. */
export function tryPodman(...args: readonly string[]): Promise<Output> {
  usePodmanSettings();
  return new Promise((resolve) => {
    execFile("podman", [...args], { maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs podman and gives what it prints; throws if it fails. */
export async function podman(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryPodman(...args);
  if (code !== 0) throw new Error(`podman ${args.join(" ")}: expected exit status 0, got ${code}\n${stderr}`);
  return stdout.trim();
}
