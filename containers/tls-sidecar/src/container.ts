// The TLS sidecar: gives HTTPS and mutual TLS to an application that only speaks plain HTTP or TCP.
import { watchPaths } from "@outrigger/files";
import { formatAddress, staysOnMachine } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context, ReloadOutcome } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { checkValues } from "./check.ts";
import { createDataPlanes } from "./data-planes.ts";
import type { DataPlanes } from "./data-planes.ts";
import { loadMaterial } from "./material.ts";
import type { Material } from "./material.ts";
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import type { Values } from "./policy.ts";
import { reloadable, unreloadableChanges } from "./reloadable.ts";
import { askTarget, watchTarget } from "./target-health.ts";
import { runDataPlaneThread } from "./thread.ts";

type SidecarContext = Context<typeof options, typeof metrics>;

export const container = defineContainer({
  name: "tls-sidecar",
  version: manifest.version,
  pattern: "sidecar",
  summary: manifest.description,
  adminPort: 9910,
  options,
  metrics,

  check: checkValues,

  async start(context) {
    const { options: values, log, draining } = context;
    const loaded = await loadMaterial(values);
    if (loaded.problems !== undefined) throw new Error(loaded.problems.join("; "));
    const live = { values: values as Values, material: loaded.material };
    reportCertificates(context, live.material);
    if (!staysOnMachine(values.target)) log.warn({ target: formatAddress(values.target) }, "plain text leaves the pod");

    const planes = createDataPlanes(context, live.material);
    context.onStop("data planes", planes.close);
    draining.addEventListener("abort", planes.discourage, { once: true });
    watchApplication(context);
    await watchFiles(context);
    const address = await planes.listen(values.listen);
    log.info({ listener: "tls", address: formatAddress(address), mode: values.mode }, "listening");

    return {
      drain: planes.drain,
      reload: () => reload(context, live, planes),
      status: () => ({
        listen: formatAddress(address),
        target: formatAddress(values.target),
        mode: values.mode,
        clientAuth: live.values.clientAuth,
        certificates: live.material.certificates,
      }),
    };
  },

  thread: runDataPlaneThread,
});

/** Takes over what can change: files first checked, then used by all threads; anything doubtful leaves all as it was. */
async function reload(
  context: SidecarContext,
  live: { values: Values; material: Material },
  planes: DataPlanes,
): Promise<ReloadOutcome> {
  const { values, problems } = await context.reread();
  const reasons = problems.length > 0 ? problems : unreloadableChanges(live.values, values as Values);
  if (reasons.length > 0) return { outcome: "refused", reasons };
  const next = { ...live.values, ...reloadable(values as Values) };
  const loaded = await loadMaterial(next);
  if (loaded.problems !== undefined) return { outcome: "refused", reasons: loaded.problems };
  const same = JSON.stringify(reloadable(next)) === JSON.stringify(reloadable(live.values));
  if (same && loaded.material.fingerprint === live.material.fingerprint) return { outcome: "unchanged" };
  planes.update(loaded.material, next);
  live.values = next;
  live.material = loaded.material;
  reportCertificates(context, live.material);
  return { outcome: "applied" };
}

function reportCertificates({ metrics: { certificateExpiry } }: SidecarContext, { certificates }: Material): void {
  certificateExpiry.clear();
  for (const { file, subject, notAfter } of certificates) {
    certificateExpiry.cell({ file, subject }).set(Date.parse(notAfter) / 1000);
  }
}

function watchApplication({
  options: values,
  metrics: { targetUp },
  readiness,
  heartbeat,
  onStop,
}: SidecarContext): void {
  const timeout = Math.min(values.connectTimeout, values.responseTimeout);
  const beat = heartbeat("target check", values.targetInterval + timeout);
  readiness.set("target", false, "not asked yet");
  const watch = watchTarget(
    () => askTarget(values.target, values.targetStatus, timeout),
    values.targetInterval,
    (verdict) => {
      beat();
      targetUp.cell({}).set(verdict === undefined ? 1 : 0);
      readiness.set("target", verdict === undefined, `the application at ${formatAddress(values.target)}: ${verdict}`);
    },
  );
  onStop("target check", watch.stop);
}

/** Reloads when a file changes: certificates, the client CA, and the file of options. */
async function watchFiles({ options: values, log, onStop, reload: ask }: SidecarContext): Promise<void> {
  const paths = [values.cert, values.key, values.clientCa, values.config].filter((path) => path !== undefined);
  const watch = await watchPaths(paths, {
    onChange: (changed) => {
      log.info({ files: changed }, "files changed");
      void ask();
    },
    onMode: (mode, reason) => {
      if (mode === "poll") log.warn({ reason }, "file events are not available, so files are polled");
    },
    rescanMs: values.rescanInterval,
  });
  onStop("file watch", () => watch.close());
}
