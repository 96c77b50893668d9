// What is true of every image, whichever base it stands on.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { repository } from "@outrigger/testing";
import { describe, expect, test } from "vitest";

import { containerNames, loadContainer } from "../../scripts/containers.ts";
import { buildImages, imageOf, imagesOf } from "../../scripts/images/build.ts";
import type { Image } from "../../scripts/images/build.ts";
import { createEngine } from "../../scripts/images/engine.ts";
import { podman, requirePodman, tryPodman } from "./podman.ts";

const needs = requirePodman();
const engine = createEngine("podman");
const images = await imagesOf(containerNames(), ["node", "bun", "git"]);
const MIB = 2 ** 20;

type Config = {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly ExposedPorts: Readonly<Record<string, object>>;
};

const inspect = async <T>(tag: string, field: string): Promise<T> =>
  JSON.parse(await podman("image", "inspect", "--format", `{{json ${field}}}`, tag)) as T;

const isolated = ["--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"];

describe.skipIf(needs.skip)(needs.title("images"), () => {
  test.each(images)("$tag adds one layer of less than 2 MiB to the base that all share", async ({ base, tag }) => {
    const { bytes, layers } = (await engine.inspect(tag))!;
    const { Labels } = await inspect<Config>(tag, ".Config");
    const below = (await engine.inspect(Labels["org.opencontainers.image.base.name"]!))!;
    expect(layers).toEqual([...below.layers, expect.any(String)]);
    expect(bytes - below.bytes).toBeGreaterThan(MIB);
    expect(bytes - below.bytes).toBeLessThan(2 * MIB);
    const others = images.filter((image) => image.base === base);
    const bases = await Promise.all(others.map(async (one) => (await engine.inspect(one.tag))!.layers.slice(0, -1)));
    expect(new Set(bases.map(String)).size).toBe(1);
  });

  test.each(images)("$tag says who it is, and runs as nobody in particular", async ({ container, base, tag }) => {
    const { version, adminPort } = await loadContainer(container);
    const config = await inspect<Config>(tag, ".Config");
    expect(config.User).toBe("65532:65532");
    expect(config.Entrypoint).toEqual(["/outrigger/runtime", "/outrigger/main.mjs"]);
    expect(Object.keys(config.ExposedPorts)).toContain(`${adminPort}/tcp`);
    for (const key of "title description version created revision source url documentation authors vendor licenses".split(
      " ",
    )) {
      expect.soft(config.Labels[`org.opencontainers.image.${key}`], key).toMatch(/^.{3,}$/);
    }
    expect(config.Labels["org.opencontainers.image.version"]).toBe(version);
    expect(config.Labels["org.opencontainers.image.base.name"]).toContain(base);
    expect(await podman("run", ...isolated, tag, "--version")).toBe(`${container} ${version}`);
  });

  test.each(images)("$tag without parameters prints its usage and exits 2", async ({ container, tag }) => {
    const { code, stdout, stderr } = await tryPodman("run", ...isolated, tag);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`Usage: ${container} `);
  });

  test.each(images.filter(({ base }) => base !== "git"))("$tag has no shell", async ({ tag }) => {
    const { code } = await tryPodman("run", ...isolated, "--entrypoint", "/bin/sh", tag, "-c", "true");
    expect(code).toBe(127);
  });

  test("the variant with git has git, ssh and the shell that git starts ssh with", async () => {
    const { tag } = await imageOf("config-sync", "git");
    for (const command of [
      ["/usr/bin/git", "--version"],
      ["/usr/bin/ssh", "-V"],
      ["/bin/sh", "-c", "true"],
    ]) {
      const [program = "", ...args] = command;
      expect(await tryPodman("run", ...isolated, "--entrypoint", program, tag, ...args)).toMatchObject({ code: 0 });
    }
  });

  test("an image that is built twice is the same both times", async () => {
    const both: Image[] = await imagesOf(["tls-sidecar"], ["node", "bun"]);
    const first = await buildImages(both, { engine, offlineBase: true });
    const second = await buildImages(both, { engine, offlineBase: true });
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  });

  test.each(images.filter(({ base }) => base === "node"))(
    "$tag holds a valid bill of its materials",
    async ({ container, tag }) => {
      const text = await fileIn(tag, "/outrigger/sbom.cdx.json");
      expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
      const { components } = JSON.parse(text) as { components: { name: string; version: string }[] };
      const names = components.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(["fastify", "prom-client"]));
      expect(names).not.toContain("vitest");
      const { metadata } = JSON.parse(text) as { metadata: { component: { name: string } } };
      expect(metadata.component.name).toBe(`@outrigger/${container}`);
    },
  );

  test("its HEALTHCHECK asks the container itself, without a shell", async () => {
    const { tag } = await imageOf("metrics-adapter", "node");
    const [, command] = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(dockerfile("metrics-adapter"))!;
    const healthcheck = JSON.parse(command!) as string[];
    expect(healthcheck).toEqual(["/outrigger/runtime", "/outrigger/main.mjs", "healthcheck"]);
    const id = await podman("run", "--detach", ...isolated, tag, "--memcached");
    try {
      await expect.poll(async () => (await tryPodman("exec", id, ...healthcheck)).code, { timeout: 20_000 }).toBe(0);
    } finally {
      await tryPodman("rm", "--force", "--time", "0", id);
    }
    // Nothing answers where nothing runs.
    expect((await tryPodman("run", ...isolated, tag, "healthcheck")).code).toBe(1);
  });
});

const dockerfile = (name: string): string => readFileSync(join(repository, "containers", name, "Dockerfile"), "utf8");

/** A file of an image, read without running it. */
async function fileIn(tag: string, path: string): Promise<string> {
  const id = await podman("create", tag);
  try {
    const folder = await podman("mount", id);
    return readFileSync(join(folder, path), "utf8");
  } finally {
    await tryPodman("rm", "--force", id);
  }
}

describe("Dockerfiles", () => {
  test.each(containerNames())("of %s comments on every port and every default of a variable", (name) => {
    const lines = dockerfile(name).split("\n");
    const told = lines.filter((line) => /^(EXPOSE|ENV) /.test(line));
    expect(told.length).toBeGreaterThan(0);
    for (const line of told) expect.soft(lines[lines.indexOf(line) - 1], line).toMatch(/^# .+\.$/);
  });

  test("are there for every container", () => {
    expect(readdirSync(join(repository, "containers")).filter((name) => !containerNames().includes(name))).toEqual([]);
  });
});
