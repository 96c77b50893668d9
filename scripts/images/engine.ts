// The program that builds images: docker, podman or buildah, whichever is there. The three agree on the options used here.
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export const ENGINES = ["docker", "podman", "buildah"] as const;
export type EngineName = (typeof ENGINES)[number];

/** One image to be built. `contexts` replace stages or images that the Dockerfile names by folders. */
export type Build = {
  readonly tag: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly contexts?: Readonly<Record<string, string>>;
  /** Seconds since 1970: the time of the image, and of every file that it adds. */
  readonly epoch: number;
};

/** What an image is made of. `layers` are digests of uncompressed layers, the base's first. */
export type ImageFacts = { readonly id: string; readonly bytes: number; readonly layers: readonly string[] };

export type Engine = {
  readonly name: EngineName;
  build(build: Build): Promise<void>;
  /** Gets an image from its registry. */
  pull(tag: string): Promise<void>;
  /** Undefined if there is no image of that name. */
  inspect(tag: string): Promise<ImageFacts | undefined>;
};

/** A command that shows that the engine works, not only that its client is installed. */
const PROBES: Readonly<Record<EngineName, readonly string[]>> = {
  docker: ["info"],
  podman: ["info"],
  buildah: ["images"],
};

/** The engine of that name, or the first that works. Throws if none does. */
export async function findEngine(wanted?: string): Promise<Engine> {
  const known = ENGINES.filter((name) => wanted === undefined || name === wanted);
  for (const name of known) {
    if (await succeeds(name, PROBES[name])) return createEngine(name);
  }
  throw new Error(
    wanted === undefined
      ? `expected docker, podman or buildah that works, got none: install one (on Debian: apt-get install podman)`
      : `--engine: expected one of ${ENGINES.join(", ")} that works here, got ${wanted}`,
  );
}

/** The engine of that name, which is known to be there. */
export function createEngine(name: EngineName): Engine {
  return {
    name,
    build: (build) => execute(name, buildArguments(name, build), { SOURCE_DATE_EPOCH: String(build.epoch) }),
    pull: (tag) => execute(name, ["pull", tag]),
    inspect: (tag) => inspect(name, tag),
  };
}

/** The arguments after the engine's name. */
export function buildArguments(engine: EngineName, { tag, dockerfile, context, ...build }: Build): string[] {
  const pairs = (option: string, values: Readonly<Record<string, string>> = {}): string[] =>
    Object.entries(values).flatMap(([key, value]) => [option, `${key}=${value}`]);
  return [
    "build",
    "--file",
    dockerfile,
    "--tag",
    tag,
    ...pairs("--build-arg", build.args),
    ...pairs("--build-context", build.contexts),
    // Docker's builder takes the time from SOURCE_DATE_EPOCH. The other two build OCI images, which are the same each time but
    // have no place for HEALTHCHECK; in Docker's format they would name the random container in which they were built.
    ...(engine === "docker"
      ? ["--build-arg", `SOURCE_DATE_EPOCH=${build.epoch}`]
      : ["--format", "oci", "--layers=false", "--timestamp", String(build.epoch)]),
    context,
  ];
}

async function inspect(name: EngineName, tag: string): Promise<ImageFacts | undefined> {
  if (name === "buildah") return inspectByBuildah(tag);
  const result = await run(name, ["image", "inspect", tag]).catch(() => undefined);
  if (result === undefined) return undefined;
  type Inspected = { Id: string; Size: number; RootFS: { Layers: string[] } };
  const [image] = JSON.parse(result.stdout) as [Inspected];
  return { id: image.Id.replace(/^sha256:/, ""), bytes: image.Size, layers: image.RootFS.Layers };
}

async function inspectByBuildah(tag: string): Promise<ImageFacts | undefined> {
  const [image, list] = await Promise.all([
    run("buildah", ["inspect", "--type", "image", tag]).catch(() => undefined),
    run("buildah", ["images", "--json", tag]).catch(() => undefined),
  ]);
  if (image === undefined || list === undefined) return undefined;
  const { FromImageID: id, Docker } = JSON.parse(image.stdout) as {
    FromImageID: string;
    Docker: { rootfs: { diff_ids: string[] } };
  };
  const [listed] = JSON.parse(list.stdout) as [{ sizeBytes?: number }];
  return { id, bytes: listed.sizeBytes ?? 0, layers: Docker.rootfs.diff_ids };
}

const succeeds = (command: string, args: readonly string[]): Promise<boolean> =>
  run(command, args).then(
    () => true,
    () => false,
  );

/** Runs a program; what it writes is shown only if it fails. */
function execute(
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...variables } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${[command, ...args].join(" ")}: expected exit status 0, got ${code}\n${output}`));
    });
  });
}
