// Fields of a workload that Kubernetes does not know. The schemas let them pass; kubectl, which reads a workload into its own
// types and writes it again, loses them.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

import type { HelmMajor } from "../../scripts/charts/tools.ts";
import { unpackTool } from "../../scripts/charts/tools.ts";
import type { Manifest } from "./helm.ts";

/** The paths of what is lost. */
export async function lostFields(major: HelmMajor, manifest: Manifest): Promise<string[]> {
  const kubectl = unpackTool(major, "kubectl");
  const args = ["set", "env", "--local", "-f", "-", "KUBECTL=x", "-o", "json"];
  const child = spawn(kubectl, args, { env: { ...process.env, KUBECONFIG: "/dev/null" } });
  child.stdin.end(JSON.stringify(manifest));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (error !== "") throw new Error(error);
  return missingIn(manifest, JSON.parse(out), "");
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === "" ||
  value === 0 ||
  JSON.stringify(value) === "{}" ||
  JSON.stringify(value) === "[]";

function missingIn(given: unknown, found: unknown, path: string): string[] {
  if (isEmpty(given)) return [];
  if (typeof given !== "object" || given === null) return found === undefined ? [path] : [];
  if (typeof found !== "object" || found === null) return [path];
  // Lists of environment variables have one more at their end.
  return Object.entries(given).flatMap(([key, value]) =>
    missingIn(value, (found as Record<string, unknown>)[key], `${path}.${key}`),
  );
}
