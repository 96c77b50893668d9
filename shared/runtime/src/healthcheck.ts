// `healthcheck`: asks the running container whether it is ready, for HEALTHCHECK in images without a shell.
import { get } from "node:http";

import type { Address } from "@outrigger/options";

const TIMEOUT_MS = 3000;
/** An address to listen on everywhere is reached on loopback. */
const REACHABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Whether `/readyz` on this admin address answers 200. */
export function isHealthy(admin: Address): Promise<boolean> {
  const where =
    "path" in admin ? { socketPath: admin.path } : { host: REACHABLE[admin.host] ?? admin.host, port: admin.port };
  return new Promise((resolve) => {
    const request = get({ ...where, path: "/readyz", timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
