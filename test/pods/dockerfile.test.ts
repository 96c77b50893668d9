// A Dockerfile as `docker build` runs it, with its build stage: on a builder like the public one, of this machine's Node
// and npm, and on the base that all images have here.
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { findProgram, repository } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { buildRootfs } from "../../scripts/images/bases.ts";
import { imageOf } from "../../scripts/images/build.ts";
import { createEngine } from "../../scripts/images/engine.ts";
import { addLink, addProgram, writeSkeleton } from "../../scripts/images/rootfs.ts";
import { podman, requirePodman, tryPodman } from "./podman.ts";

const needs = requirePodman();

/** A shell, Node and npm, which trusts the authorities that this machine trusts. */
function builder(folder: string): void {
  writeSkeleton(folder);
  addProgram(folder, "/usr/bin/busybox", "bin/busybox");
  for (const name of ["bin/sh", "usr/bin/env"]) addLink(folder, name, "/bin/busybox");
  addProgram(folder, join(repository, "node_modules", ".bin", "node"), "usr/local/bin/node");
  const npm = dirname(dirname(realpathSync(findProgram("npm")!)));
  cpSync(npm, join(folder, "usr/local/lib/node_modules/npm"), { recursive: true, dereference: true });
  addLink(folder, "usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js");
}

describe.skipIf(needs.skip)(needs.title("the Dockerfile of tls-sidecar"), () => {
  test("makes the same files as npm run images, with npm's registry alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "outrigger-builder-"));
    cleanup(() => rmSync(folder, { recursive: true, force: true }));
    const tags = { builder: "outrigger/builder:test", built: "outrigger/from-dockerfile:test" };
    cleanup(async () => void (await tryPodman("rmi", "--force", ...Object.values(tags))));
    const lines = ["ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"];
    const engine = createEngine("podman");
    await buildRootfs(tags.builder, { engine, folder }, { from: "scratch", write: builder, lines });
    const { tag } = await imageOf("tls-sidecar", "node");
    const base = await podman("inspect", "--format", '{{index .Labels "org.opencontainers.image.base.name"}}', tag);
    const file = join(repository, "containers/tls-sidecar/Dockerfile");
    const args = ["--build-arg", `BUILDER=${tags.builder}`, "--build-arg", `BASE=${base}`];
    await podman("build", "--network", "host", ...args, "--file", file, "--tag", tags.built, repository);
    expect(await digestsOf(tags.built)).toEqual(await digestsOf(tag));
  }, 300_000);
});

const FILES = ["outrigger/main.mjs", "outrigger/sbom.cdx.json", "outrigger/LICENSE"];

async function digestsOf(tag: string): Promise<string[]> {
  const id = await podman("create", tag);
  try {
    const root = await podman("mount", id);
    return FILES.map((file) =>
      createHash("sha256")
        .update(readFileSync(join(root, file)))
        .digest("hex"),
    );
  } finally {
    await tryPodman("rm", "--force", id);
  }
}
