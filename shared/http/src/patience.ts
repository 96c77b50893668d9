// How long an exchange may stay as it is, by what is to happen next.
import type { ProxyTimeouts } from "./proxy.ts";

/** In milliseconds. */
export function patienceOf(
  timeouts: ProxyTimeouts,
  { tunnel, requestDone, status }: { tunnel: boolean; requestDone: boolean; status: number },
): number {
  if (tunnel) return timeouts.tunnelMs;
  return requestDone && status === 0 ? timeouts.responseMs : timeouts.idleMs;
}
