// Builds the images of containers, each on a base: the bundle is made here, so that an image needs nothing but its base.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { containerFolder, loadContainer } from "../containers.ts";
import { root } from "../tools.ts";
import type { Base, BaseName, BaseSettings } from "./bases.ts";
import { offlineBase, publicBase } from "./bases.ts";
import type { Engine, ImageFacts } from "./engine.ts";
import { writeImageFiles } from "./files.ts";

/** An image to be built, and what became of it. */
export type Image = { readonly container: string; readonly base: BaseName; readonly tag: string };
export type BuiltImage = Image & ImageFacts & { readonly baseFacts: ImageFacts };

export type BuildSettings = {
  readonly engine: Engine;
  readonly offlineBase: boolean;
  /** Told of each image before it is built. */
  readonly progress?: (tag: string) => void;
};

/** The tag of an image: its version, and what it stands on if that is not Node. */
export async function imageOf(container: string, base: BaseName): Promise<Image> {
  const { version } = await loadContainer(container);
  return { container, base, tag: `outrigger/${container}:${version}${base === "node" ? "" : `-${base}`}` };
}

/** All images of these containers on these runtimes; the variant with git for the container that can use it. */
export async function imagesOf(containers: readonly string[], bases: readonly BaseName[]): Promise<Image[]> {
  const pairs = containers.flatMap((container) =>
    bases.filter((base) => base !== "git" || container === "config-sync").map((base) => [container, base] as const),
  );
  return Promise.all(pairs.map(([container, base]) => imageOf(container, base)));
}

/** Builds images one after the other. */
export async function buildImages(
  images: readonly Image[],
  { engine, offlineBase: offline, progress = () => {} }: BuildSettings,
): Promise<BuiltImage[]> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-images-"));
  const commit = commitOf();
  // The permissions of files must not depend on whoever builds.
  const umask = process.umask(0o022);
  const bases = new Map<BaseName, Base>();
  const built: BuiltImage[] = [];
  try {
    for (const image of images) {
      progress(image.tag);
      const settings = { engine, folder, epoch: commit.epoch };
      const base = bases.get(image.base) ?? (await (offline ? offlineBase : publicBase)(image.base, settings));
      bases.set(image.base, base);
      built.push(await buildImage(image, base, { ...settings, revision: commit.revision }));
    }
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true, force: true });
  }
  return built;
}

type ImageSettings = BaseSettings & { readonly epoch: number; readonly revision: string };

async function buildImage(
  image: Image,
  base: Base,
  { engine, epoch, folder, revision }: ImageSettings,
): Promise<BuiltImage> {
  const output = join(folder, image.container);
  await writeImageFiles(image.container, { output: join(output, "image"), runtime: base.runtime });
  await engine.build({
    tag: image.tag,
    dockerfile: join(containerFolder(image.container), "Dockerfile"),
    context: output,
    // In the place of the Dockerfile's build stage, which makes the same files.
    contexts: { build: output },
    args: { BASE: base.image, REVISION: revision, CREATED: new Date(epoch * 1000).toISOString().replace(".000Z", "Z") },
    epoch,
  });
  const [facts, baseFacts] = await Promise.all([engine.inspect(image.tag), engine.inspect(base.image)]);
  if (facts === undefined || baseFacts === undefined) {
    throw new Error(`${image.tag}: expected ${engine.name} to have it and its base ${base.image}, got nothing`);
  }
  return { ...image, ...facts, baseFacts };
}

/** The commit that is built: its time is that of the images, so that they are the same whenever they are built. */
function commitOf(): { epoch: number; revision: string } {
  const given = process.env["SOURCE_DATE_EPOCH"];
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain") === "" ? "" : "-dirty";
    return {
      epoch: Number(given ?? git("log", "-1", "--format=%ct")),
      revision: `${git("rev-parse", "HEAD")}${changed}`,
    };
  } catch {
    return { epoch: Number(given ?? 0), revision: "unknown" };
  }
}
