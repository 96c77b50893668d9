// The TLS sidecar: gives HTTPS and mutual TLS to an application that only speaks plain HTTP or TCP.
import { formatAddress, staysOnMachine } from "@outrigger/options";
import type { Address } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { CERTIFICATE_SCHEMA } from "./certificate-files.ts";
import { checkValues } from "./check.ts";
import { createDataPlanes } from "./data-planes.ts";
import { explain } from "./explain.ts";
import { watchFiles } from "./file-watch.ts";
import { loadMaterial } from "./material.ts";
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import { createRedirect } from "./redirect.ts";
import { reload } from "./reload.ts";
import type { Live } from "./reload.ts";
import { askTarget, watchTarget } from "./target-health.ts";
import { runDataPlaneThread } from "./thread.ts";
import { rotateTicketKeys } from "./ticket-keys.ts";

export type SidecarContext = Context<typeof options, typeof metrics>;

export const container = defineContainer({
  name: "tls-sidecar",
  version: manifest.version,
  pattern: "sidecar",
  summary: manifest.description,
  adminPort: 9910,
  options,
  metrics,
  commands: { explain },
  routes: {
    "/api/v1/certificates": {
      summary: "The certificates in use, with what they are for and when they end",
      query: {},
      answer: { certificates: { type: "array", items: CERTIFICATE_SCHEMA } },
    },
  },

  check: checkValues,

  async start(context) {
    const { options: values, log, draining } = context;
    // Before they are read, so that no change between reading and watching is missed.
    const watch = await watchFiles(context, values);
    const loaded = await loadMaterial(values);
    if (loaded.problems !== undefined) throw new Error(loaded.problems.join("; "));
    let live = use(context, { values, material: loaded.material });
    if (!staysOnMachine(values.target)) log.warn({ target: formatAddress(values.target) }, "plain text leaves the pod");

    const planes = createDataPlanes(context, live.material);
    context.onStop("data planes", planes.close);
    draining.addEventListener("abort", planes.discourage, { once: true });
    rotateTicketKeys(context, planes);
    let address: Address | undefined;
    let drainRedirect = (): Promise<void> => Promise.resolve();
    const accept = async (): Promise<void> => {
      if (draining.aborted) return;
      address = await planes.listen(values.listen);
      log.info({ listener: "tls", address: formatAddress(address), mode: values.mode }, "listening");
      drainRedirect = await startRedirect(context, address);
    };
    const answered = watchApplication(context);
    // Whoever waits for the sidecar to have started may be the application itself, so that start does not wait for it.
    if (values.startWait) void answered.then(accept);
    else await accept();

    return {
      drain: async () => void (await Promise.all([planes.drain(), drainRedirect()])),
      reload: () =>
        reload(context, live, async (next) => {
          planes.update(next.material, next.values);
          live = use(context, next);
          if (await watch.follow(next.values)) void context.reload();
        }),
      status: () => ({
        listen: address === undefined ? null : formatAddress(address),
        target: formatAddress(values.target),
        mode: values.mode,
        clientAuth: live.values.clientAuth,
        certificates: live.material.certificates.map(({ file, subject, notAfter, sha256 }) => ({
          file,
          subject,
          notAfter,
          sha256,
        })),
      }),
      routes: { "/api/v1/certificates": () => ({ certificates: live.material.certificates }) },
    };
  },

  thread: runDataPlaneThread,
});

/** Shows what is served with from now on. */
function use({ metrics: { certificateExpiry } }: SidecarContext, live: Live): Live {
  certificateExpiry.clear();
  for (const { file, subject, notAfter } of live.material.certificates) {
    certificateExpiry.cell({ file, subject }).set(Date.parse(notAfter) / 1000);
  }
  return live;
}

/** Listens for plain HTTP, if that is wanted; gives what drains it. */
async function startRedirect(context: SidecarContext, tls: Address): Promise<() => Promise<void>> {
  const { options: values, metrics, log, draining, onStop } = context;
  if (values.redirectListen === undefined) return () => Promise.resolve();
  const redirect = createRedirect(values, metrics, log);
  onStop("redirect", redirect.close);
  draining.addEventListener("abort", redirect.discourage, { once: true });
  const address = await redirect.listen(values.redirectListen, tls);
  log.info({ listener: "redirect", address: formatAddress(address) }, "listening");
  return redirect.drain;
}

/** Watches the application for readiness; resolves when it answers for the first time. */
function watchApplication({
  options: values,
  metrics: { targetUp },
  readiness,
  heartbeat,
  onStop,
}: SidecarContext): Promise<void> {
  const answered = Promise.withResolvers<void>();
  const timeout = Math.min(values.connectTimeout, values.responseTimeout);
  const beat = heartbeat("target check", values.targetInterval + timeout);
  readiness.set("target", false, "not asked yet");
  const watch = watchTarget(
    () => askTarget(values.target, values.targetStatus, timeout),
    values.targetInterval,
    (verdict) => {
      beat();
      if (verdict === undefined) answered.resolve();
      targetUp.cell({}).set(verdict === undefined ? 1 : 0);
      readiness.set("target", verdict === undefined, `the application at ${formatAddress(values.target)}: ${verdict}`);
    },
  );
  onStop("target check", watch.stop);
  return answered.promise;
}
