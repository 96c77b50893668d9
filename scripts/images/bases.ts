// The bases of our images: public ones, or ones made here of the pinned runtimes and of Debian's libraries, for where no
// registry can be reached.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "../tools.ts";
import { BASE } from "./dockerfile.ts";
import type { Engine } from "./engine.ts";
import type { RuntimeName } from "./files.ts";
import { RUNTIME_PATHS } from "./files.ts";
import { NONROOT, addLink, addPath, addProgram, writeSkeleton } from "./rootfs.ts";

/** Our own bases have no time: they are the same whatever is built upon them. */
const BASE_EPOCH = 0;

/** What an image stands on: the name of its base, and where the runtime is in it. */
export type Base = { readonly image: string; readonly runtime: string };

/** `git`: with git and ssh, and Node. */
export type BaseName = RuntimeName | "git";

export type BaseSettings = {
  readonly engine: Engine;
  /** Where files are put together. */
  readonly folder: string;
};

const GIT_DOCKERFILE = join(root, "scripts", "images", "git-base.Dockerfile");
const gitTag = `outrigger/base-git:local`;

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;

/** The base from a registry; the one with git is built upon a public image. */
export async function publicBase(name: BaseName, { engine }: BaseSettings): Promise<Base> {
  if (name !== "git") {
    const image = name === "node" ? BASE : `docker.io/oven/bun:${versionOf("bun")}-distroless`;
    // What Docker's builder fetches for itself is not among the images, and is not there to be measured.
    if ((await engine.inspect(image)) === undefined) await engine.pull(image);
    return { image, runtime: RUNTIME_PATHS[name] };
  }
  await engine.build({
    tag: gitTag,
    dockerfile: GIT_DOCKERFILE,
    context: join(root, "scripts", "images"),
    epoch: BASE_EPOCH,
  });
  return { image: gitTag, runtime: "/usr/local/bin/node" };
}

/** The base made of what this machine has; `folder` is where its files are put together. */
export async function offlineBase(name: BaseName, settings: BaseSettings): Promise<Base> {
  const runtime = name === "bun" ? "bun" : "node";
  const tag = name === "git" ? gitTag : `outrigger/base-${name}:${versionOf(name)}`;
  if (name === "git") {
    const below = await offlineBase("node", settings);
    await buildRootfs(tag, settings, { from: below.image, write: addGit });
  } else {
    await buildRootfs(tag, settings, {
      from: "scratch",
      write: (folder) => {
        writeSkeleton(folder);
        addProgram(folder, join(root, "node_modules", ".bin", runtime), RUNTIME_PATHS[runtime]);
      },
    });
  }
  return { image: tag, runtime: RUNTIME_PATHS[runtime] };
}

/** Git with what it runs to fetch: its helpers for HTTP, ssh, and the shell by which it starts ssh. */
function addGit(folder: string): void {
  const helpers = "/usr/lib/git-core";
  for (const program of ["/usr/bin/git", "/usr/bin/ssh", "/bin/sh", `${helpers}/git-remote-http`]) {
    addProgram(folder, program, program);
  }
  addLink(folder, `${helpers}/git-remote-https`, "git-remote-http");
  addPath(folder, "/usr/share/git-core/templates");
}

export type Rootfs = {
  readonly from: string;
  readonly write: (folder: string) => void;
  readonly lines?: readonly string[];
};

/** An image of one layer with the files that `write` puts in a folder; `lines` are further lines of its Dockerfile. */
export async function buildRootfs(tag: string, { engine, folder }: BaseSettings, rootfs: Rootfs): Promise<void> {
  const context = join(folder, tag.replaceAll(/[^\w.-]/g, "_"));
  rmSync(context, { recursive: true, force: true });
  const files = join(context, "rootfs");
  rootfs.write(files);
  const lines = [`FROM ${rootfs.from}`, "COPY rootfs/ /", ...(rootfs.lines ?? [`USER ${NONROOT}:${NONROOT}`])];
  writeFileSync(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
  await engine.build({ tag, dockerfile: join(context, "Dockerfile"), context, epoch: BASE_EPOCH });
  rmSync(context, { recursive: true, force: true });
}
