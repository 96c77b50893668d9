// The examples of every container say only what its option table knows, and its pods are fit for a strict cluster.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { prefixOf, resolveOptions } from "@outrigger/options";
import { tableOf } from "@outrigger/runtime";
import type { AnyContainer } from "@outrigger/runtime";
import { describe, expect, test } from "vitest";

import { containerFolder, containerNames, loadContainer } from "../../scripts/containers.ts";
import type { PodContainer, Use } from "./examples.ts";
import { containersOf, readPod, usesInCompose, usesInPod, usesInReadme } from "./examples.ts";
import { restrictedViolations } from "./pod-security.ts";

const subjects = await Promise.all(
  containerNames().map(async (name) => ({ name, folder: containerFolder(name), container: await loadContainer(name) })),
);

const noFile = (): never => {
  throw new Error("the examples name no file that is read with the options");
};

/** What is wrong with the flags and variables of a use of this container's image. */
const problemsIn = (container: AnyContainer, { args, env }: Pick<Use, "args" | "env">): readonly string[] =>
  resolveOptions(container.name, tableOf(container), {
    argv: args,
    env,
    readFile: noFile,
    adoptFile: container.adoptFile,
  }).problems;

describe.each(subjects)("$name", ({ name, folder, container }) => {
  const image = `outrigger/${name}`;
  const own = (uses: Use[]): Use[] => uses.filter((use) => use.image === image);
  const check = (uses: Use[]): void => {
    expect(uses.length).toBeGreaterThan(0);
    for (const use of uses) {
      expect.soft(use.tag).toBe(container.version);
      expect.soft(problemsIn(container, use)).toEqual([]);
    }
  };
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  const pod = readPod(folder);
  const mine = containersOf(pod).find((one) => one.image.startsWith(`${image}:`)) as PodContainer;

  test("the example pod uses options that exist, of the version that is here", () => check(own(usesInPod(pod))));

  const compose = join(folder, "examples", "compose.yaml");
  test.runIf(existsSync(compose))("the Compose example does, too", () =>
    check(own(usesInCompose(readFileSync(compose, "utf8")))),
  );

  const inReadme = usesInReadme(readme, image);
  test.runIf(inReadme.length > 0)("the docker run lines of the README do, too", () => check(inReadme));

  const others = readdirSync(join(folder, "examples")).filter(
    (file) => !["pod.yaml", "pod.plain.yaml", "compose.yaml"].includes(file),
  );
  test.runIf(others.length > 0)("every other example is a file of options that exist", () => {
    for (const file of others) {
      const text = readFileSync(join(folder, "examples", file), "utf8");
      expect.soft(problemsIn(container, { args: [], env: { [`${prefixOf(name)}_CONFIG_INLINE`]: text } })).toEqual([]);
    }
  });

  test("the example pod is a native sidecar that is probed on its admin port", () => {
    expect(pod.spec.initContainers).toContain(mine);
    expect(mine.restartPolicy).toBe("Always");
    const ports = new Map(mine.ports!.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports.get("admin")).toBe(container.adminPort);
    for (const [probe, path] of [
      // An application that needs something of the sidecar to begin with has to wait until that is ready.
      ["startupProbe", /^\/(startupz|readyz)$/],
      ["readinessProbe", /^\/readyz$/],
      ["livenessProbe", /^\/livez$/],
    ] as const) {
      expect.soft(mine[probe]).toMatchObject({ httpGet: { path: expect.stringMatching(path), port: "admin" } });
    }
  });

  test("the example pod passes the restricted level of Pod Security, and the sidecar cannot write anywhere", () => {
    expect(restrictedViolations(pod)).toEqual([]);
    expect(mine["securityContext"]).toMatchObject({ readOnlyRootFilesystem: true, runAsUser: 65532 });
  });

  test("a flag or variable that does not exist would be found", () => {
    const env = { [`${prefixOf(name)}_LOG_LEVLE`]: "info" };
    expect(problemsIn(container, { args: ["--log-levle=info"], env })).toHaveLength(2);
  });
});

test("what the restricted level forbids is found", () => {
  const container = { name: "app", image: "app:1", ports: [{ name: "web", containerPort: 80, hostPort: 80 }] };
  const volumes = [{ name: "all", hostPath: { path: "/" } }];
  expect(restrictedViolations({ spec: { hostNetwork: true, volumes, containers: [container] } })).toEqual([
    "hostNetwork",
    "a volume of the kind hostPath",
    "app: runAsNonRoot is not true",
    "app: allowPrivilegeEscalation is not false",
    "app: capabilities are not dropped",
    "app: seccompProfile is neither RuntimeDefault nor Localhost",
    "app: a hostPort is used",
  ]);
});
