// Before the tests of images and pods: builds all images, once, on this machine's own bases.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { containerNames } from "../../scripts/containers.ts";
import { buildImages, imagesOf } from "../../scripts/images/build.ts";
import { findEngine } from "../../scripts/images/engine.ts";
import { buildApplications } from "./applications.ts";
import { requirePodman, usePodmanSettings } from "./podman.ts";

export default async function setup(): Promise<void> {
  if (requirePodman().skip) return;
  usePodmanSettings();
  const engine = await findEngine("podman");
  await buildImages(await imagesOf(containerNames(), ["node", "bun", "git"]), { engine, offlineBase: true });
  const folder = mkdtempSync(join(tmpdir(), "outrigger-applications-"));
  try {
    await buildApplications({ engine, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
