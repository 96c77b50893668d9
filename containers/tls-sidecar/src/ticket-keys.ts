// The keys of session tickets: one for all threads, from a file or random and replaced in time, so that a key that gets
// known one day opens little of what was recorded before.
import { randomBytes } from "node:crypto";

import { runtimeName } from "@outrigger/runtime";

import type { SidecarContext } from "./container.ts";
import type { DataPlane } from "./data-plane.ts";

/** What Node's TLS takes: a name, a key for the code of authentication and one for encryption, 16 bytes each. */
export const TICKET_KEY_BYTES = 48;

/** Gives the data planes a random key now and then; on Bun, which has no such setting, BoringSSL changes its own. */
export function rotateTicketKeys({ options: values, onStop, log }: SidecarContext, planes: DataPlane): void {
  if (!values.sessionTickets || values.sessionTicketKey !== undefined || runtimeName().startsWith("bun")) return;
  planes.setTicketKey(randomBytes(TICKET_KEY_BYTES));
  const timer = setInterval(() => {
    planes.setTicketKey(randomBytes(TICKET_KEY_BYTES));
    log.info("session ticket key replaced");
  }, values.sessionTicketLifetime);
  onStop("session ticket keys", () => clearInterval(timer));
}
