// Three kinds of tests: units beside the sources, which run in the test runner's own Node; behaviour tests, which start a
// container's bundle as a process, once on each runtime; and tests of images and of pods that podman runs.
import { configDefaults, defineConfig } from "vitest/config";

const behaviour = ["containers/*/test/**/*.test.ts", "test/conformance/**/*.test.ts"];

const onRuntime = (runtime: "node" | "bun") => ({
  test: {
    name: runtime,
    include: behaviour,
    env: { OUTRIGGER_RUNTIME: runtime },
    globalSetup: ["scripts/bundle-for-tests.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "shared/**/*.test.ts",
            "containers/*/src/**/*.test.ts",
            "scripts/**/*.test.ts",
            "test/docs/**/*.test.ts",
            "test/apps/**/*.test.ts",
            "test/charts/**/*.test.ts",
            "test/bench/**/*.test.ts",
            "test/demo/**/*.test.ts",
          ],
          // The template's tests run in what is made of it.
          exclude: [...configDefaults.exclude, "scripts/template/**"],
          testTimeout: 20_000,
        },
      },
      onRuntime("node"),
      onRuntime("bun"),
      {
        test: {
          name: "pods",
          include: ["test/pods/**/*.test.ts"],
          globalSetup: ["test/pods/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
