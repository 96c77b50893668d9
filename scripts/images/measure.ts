// How large the images are, how fast their containers start and what they hold when nothing is asked of them: the table in
// the README, which `npm run images -- --measure` writes.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import type { Cleanup } from "@outrigger/testing";
import { until } from "@outrigger/testing";

import { containerFolder } from "../containers.ts";
import { root } from "../tools.ts";
import type { BuiltImage } from "./build.ts";
import type { Engine } from "./engine.ts";
import { mebibytes, ownBytes } from "./report.ts";

const run = promisify(execFile);

const STARTS = 3;
/** How long a container is left alone before its memory is read, in milliseconds. */
const IDLE = 5000;

export type Measured = {
  readonly image: BuiltImage;
  /** Milliseconds from the start of the process to its record "started": the median. */
  readonly start: number;
  /** RssAnon after some idle time, in bytes: the median. */
  readonly idle: number;
};

/** Starts each image several times beside what its container needs. */
export async function measureImages(images: readonly BuiltImage[], engine: Engine): Promise<Measured[]> {
  if (engine.name === "buildah")
    throw new Error("--measure: expected docker or podman, which start containers, got buildah");
  const measured: Measured[] = [];
  for (const image of images) {
    const samples: Sample[] = [];
    for (let i = 0; i < STARTS; i++) samples.push(await startOnce(image, engine.name));
    const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
    measured.push({
      image,
      start: middle(samples.map(({ start }) => start)),
      idle: middle(samples.map(({ idle }) => idle)),
    });
  }
  return measured;
}

type Sample = { readonly start: number; readonly idle: number };

async function startOnce({ container, tag }: BuiltImage, engine: string): Promise<Sample> {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = (task) => void undo.push(task);
  try {
    const { fixture } = (await import(join(containerFolder(container), "test", "fixture.ts"))) as {
      fixture: (cleanup: Cleanup) => Promise<{ args: readonly string[] }>;
    };
    const { args } = await fixture(cleanup);
    // What the container needs lies in this user's temporary folders, and listens on this machine's loopback.
    const own = ["--network", "host", "--user", "0:0", "--volume", `${tmpdir()}:${tmpdir()}`, "--memory", "128m"];
    // Podman asks by default for limits that a virtual machine may refuse, and for a journal.
    const podmans =
      engine === "podman"
        ? ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--log-driver", "k8s-file"]
        : [];
    const command = ["run", "--detach", ...podmans, ...own, tag, "--admin-listen", "127.0.0.1:0", ...args];
    const id = (await run(engine, command)).stdout.trim();
    cleanup(async () => void (await run(engine, ["rm", "--force", id])));
    const started = await until(() => startedAt(engine, id), { timeoutMs: 20_000, describe: `${tag} to start` });
    const pid = Number((await run(engine, ["inspect", "--format", "{{.State.Pid}}", id])).stdout);
    const start = started - beginningOf(pid);
    await delay(IDLE);
    const idle = Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
    return { start, idle };
  } finally {
    for (const task of undo.toReversed()) await task();
  }
}

/** When the container said that it has started, in milliseconds since 1970. */
async function startedAt(engine: string, id: string): Promise<number | undefined> {
  const { stdout, stderr } = await run(engine, ["logs", id]);
  const line = `${stdout}\n${stderr}`.split("\n").find((text) => text.includes('"msg":"started"'));
  return line === undefined ? undefined : Date.parse((JSON.parse(line) as { time: string }).time);
}

/** When a process began, in milliseconds since 1970, to 10 ms: field 22 of proc_pid_stat(5), counted from the boot. */
function beginningOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3]);
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Date.now() - uptime * 1000 + ticks * 10;
}

const PART = /<!-- measured: images -->[^]*?<!-- \/measured -->/;

/** Writes the table where the README has its place. */
export function writeTable(measured: readonly Measured[]): void {
  const file = join(root, "README.md");
  const text = readFileSync(file, "utf8");
  if (!PART.test(text))
    throw new Error("README.md: expected the lines <!-- measured: images --> and <!-- /measured -->, got neither");
  writeFileSync(file, text.replace(PART, `<!-- measured: images -->\n\n${tableOf(measured)}\n\n<!-- /measured -->`));
}

/** The table in Markdown: a line for each image. */
export function tableOf(measured: readonly Measured[]): string {
  const rows = measured.map(
    ({ image, start, idle }) =>
      `| \`${image.tag}\` | ${mebibytes(image.bytes)} | ${mebibytes(ownBytes(image))} | ${Math.round(start)} ms | ${mebibytes(idle)} |`,
  );
  return [
    "| image | size | its own layer | start | private memory when idle |",
    "|---|---:|---:|---:|---:|",
    ...rows,
  ].join("\n");
}
