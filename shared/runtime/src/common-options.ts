// The options that every container has.
import { address, choice, configOption, duration, option, secret } from "@outrigger/options";

import { LOG_LEVELS } from "./logger.ts";

/** Options of every container; only the admin port differs. */
export const commonOptionsOf = (adminPort: number) =>
  ({
    adminListen: option({
      kind: address("0.0.0.0"),
      default: `0.0.0.0:${adminPort}`,
      section: "Admin and logs",
      summary: "Where probes, metrics and the API are served, in plain HTTP.",
    }),
    adminToken: option({
      kind: secret(),
      section: "Admin and logs",
      summary:
        "A file with a token that changing requests (`POST /api/v1/...`) must carry as `Authorization: Bearer`. Without it they are accepted from loopback only.",
    }),
    logLevel: option({
      kind: choice(LOG_LEVELS),
      default: "info",
      section: "Admin and logs",
      summary: "The least severe messages to log.",
    }),
    logFormat: option({
      kind: choice(["json", "pretty"]),
      default: "json",
      section: "Admin and logs",
      summary: "One JSON object a line, or lines for people.",
    }),
    drainDelay: option({
      kind: duration(),
      default: "5s",
      section: "Shutdown",
      summary:
        "How long to go on accepting after SIGTERM, with `/readyz` already 503, so that load balancers have time to look elsewhere.",
    }),
    shutdownTimeout: option({
      kind: duration(),
      default: "20s",
      section: "Shutdown",
      summary:
        "How long work in flight may take after the drain delay. Together they should stay below the pod's `terminationGracePeriodSeconds` (30 s by default).",
    }),
    ...configOption,
  }) as const;

export type CommonOptions = ReturnType<typeof commonOptionsOf>;
