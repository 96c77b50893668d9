// new-container: answers every HTTP request with what it was asked. Replace that with the job it is for; the rest is the
// shape that every container has.
import { existsSync } from "node:fs";

import { formatAddress } from "@outrigger/options";
import { defineContainer } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import { createEchoServer } from "./server.ts";

export const container = defineContainer({
  name: "new-container",
  version: manifest.version,
  pattern: "sidecar",
  summary: manifest.description,
  adminPort: 9999,
  options,
  metrics,

  async start(context) {
    const { options: values, log, draining, onStop } = context;
    watchRequiredFile(context);
    const server = createEchoServer(values, context.metrics, draining);
    onStop("server", server.close);
    const address = await server.listen(values.listen);
    log.info({ listener: "http", address: formatAddress(address) }, "listening");
    return {
      drain: server.drain,
      status: () => ({ listen: formatAddress(address), requireFile: values.requireFile ?? null }),
    };
  },
});

/** Makes the container not ready while the file is missing. */
function watchRequiredFile({
  options: { requireFile, checkInterval },
  metrics: { filePresent },
  readiness,
  heartbeat,
  onStop,
}: Context<typeof options, typeof metrics>): void {
  if (requireFile === undefined) return;
  const beat = heartbeat("required file", checkInterval);
  const look = (): void => {
    beat();
    const present = existsSync(requireFile);
    filePresent.cell({}).set(present ? 1 : 0);
    readiness.set("required file", present, `${requireFile} is missing`);
  };
  look();
  const timer = setInterval(look, checkInterval);
  onStop("required file", () => clearInterval(timer));
}
