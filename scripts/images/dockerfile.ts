// The Dockerfile of a container: the same for all, but for names, labels, ports and the defaults of variables, which stand
// in the container's package.json under `image`.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { AnyContainer } from "@outrigger/runtime";

import { containerFolder } from "../containers.ts";
import { root } from "../tools.ts";
import { RUNTIME_PATHS } from "./files.ts";
import { NONROOT } from "./rootfs.ts";

/** Where both stages come from if nothing else is said. */
const BUILDER = "docker.io/library/node:26-trixie-slim";
export const BASE = "gcr.io/distroless/nodejs26-debian13:nonroot";

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
};

/** The part of a package.json that says what the image shows: what each port and each variable with a default is for. */
type ImageManifest = {
  readonly expose?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, { readonly value: string; readonly purpose: string }>>;
};

type RootManifest = { readonly repository: string; readonly author: string };

const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), "utf8")) as T;

/** The text of `containers/<name>/Dockerfile`. */
export function dockerfileOf(container: AnyContainer, repository = root): string {
  const { name, adminPort } = container;
  const manifest = readJson<Manifest & { image?: ImageManifest }>(containerFolder(name, repository), "package.json");
  const { expose = {}, env = {} } = manifest.image ?? {};
  const ports = { ...expose, [adminPort]: "Probes, metrics and the status page" };
  return [
    `# The image of ${name}. From the root of the repository, with a container registry at hand:`,
    `#   docker build -f containers/${name}/Dockerfile -t outrigger/${name} .`,
    `# On Bun instead of Node: --build-arg BASE=docker.io/oven/bun:1.4.5-distroless --build-arg RUNTIME=${RUNTIME_PATHS.bun}`,
    `ARG BUILDER=${BUILDER}`,
    `ARG BASE=${BASE}`,
    "",
    "# What it makes runs on every architecture, so it is made on the one that builds.",
    "FROM --platform=${BUILDPLATFORM} ${BUILDER} AS build",
    "WORKDIR /src",
    "COPY . .",
    "# Not npm ci: the lock file names optional packages of one platform only, which that takes for a mistake.",
    "RUN --mount=type=cache,target=/root/.npm npm install --no-save --no-audit --no-fund --ignore-scripts",
    "# The runtime's path in the base; the image has a link to it, so that one entry point serves every base.",
    `ARG RUNTIME=${RUNTIME_PATHS.node}`,
    `RUN node scripts/images/files.ts ${name} --runtime "\${RUNTIME}" --output /image`,
    "",
    "FROM ${BASE}",
    "ARG BASE",
    "ARG REVISION=unknown",
    "ARG CREATED=1970-01-01T00:00:00Z",
    ...labels(container, manifest, readJson<RootManifest>(repository, "package.json")),
    "COPY --from=build /image/ /",
    ...Object.entries(ports).flatMap(([port, what]) => ["", `# ${what}.`, `EXPOSE ${port}`]),
    ...Object.entries(env).flatMap(([variable, { value, purpose }]) => [
      "",
      `# ${purpose}`,
      `ENV ${variable}=${value}`,
    ]),
    "",
    "# By number, so that Kubernetes can tell that it is not root.",
    `USER ${NONROOT}:${NONROOT}`,
    "HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \\",
    '  CMD ["/outrigger/runtime", "/outrigger/main.mjs", "healthcheck"]',
    'ENTRYPOINT ["/outrigger/runtime", "/outrigger/main.mjs"]',
    // The base may have arguments of its own.
    "CMD []",
    "",
  ].join("\n");
}

/** The predefined keys of the OCI image specification (annotations.md) that apply. */
function labels({ name }: AnyContainer, manifest: Manifest, { repository, author }: RootManifest): string[] {
  const values: Readonly<Record<string, string>> = {
    title: name,
    description: manifest.description,
    version: manifest.version,
    created: "${CREATED}",
    revision: "${REVISION}",
    source: repository,
    url: `${repository}/tree/main/containers/${name}`,
    documentation: `${repository}/blob/main/containers/${name}/README.md`,
    authors: author,
    vendor: author,
    licenses: manifest.license,
    "base.name": "${BASE}",
  };
  const lines = Object.entries(values).map(([key, value]) => `org.opencontainers.image.${key}="${value}"`);
  return lines.map((line, index) => {
    const start = index === 0 ? "LABEL " : "      ";
    return `${start}${line}${index === lines.length - 1 ? "" : " \\"}`;
  });
}
