// The options of the TLS sidecar: the only place where they are described.
import { access } from "./options/access.ts";
import { certificates } from "./options/certificates.ts";
import { health } from "./options/health.ts";
import { legacy } from "./options/legacy.ts";
import { limits } from "./options/limits.ts";
import { rules } from "./options/rules.ts";
import { timeouts } from "./options/timeouts.ts";
import { traffic } from "./options/traffic.ts";

export const options = {
  ...traffic,
  ...legacy,
  ...certificates,
  ...access,
  ...rules,
  ...health,
  ...limits,
  ...timeouts,
} as const;
