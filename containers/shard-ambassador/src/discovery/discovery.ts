// Looks for shards again and again, and tells when there are others.
import { isDeepStrictEqual } from "node:util";

import type { Logger } from "@outrigger/runtime";

import type { Values } from "../options.ts";
import { createLook, parseSource } from "./lookup.ts";
import { createMembership } from "./membership.ts";

export type Discovery = {
  /** The shards as `--shards` has them; none before the first were found. */
  shards(): readonly string[];
  stop(): void;
};

export type DiscoverySettings = {
  readonly values: Values;
  readonly log: Logger;
  /** There are others; never none. */
  onShards(shards: readonly string[]): Promise<void>;
};

const TIMEOUT_MS = 2000;

/** Undefined without `--discover`, which has been checked. */
export function startDiscovery({ values, log, onShards }: DiscoverySettings): Discovery | undefined {
  const source = values.discover === undefined ? undefined : parseSource(values.discover);
  if (source === undefined) return undefined;
  const look = createLook(source, { servers: values.dnsServers, timeoutMs: TIMEOUT_MS });
  const membership = createMembership(values.discoverRemovalDelay);
  let shards: readonly string[] = [];
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const turn = async (): Promise<void> => {
    const next = await look().then(
      (found) => membership.see(found, performance.now()),
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (isStopped) return;
    tell(typeof next === "string" ? next : next.length === 0 ? "nothing found" : undefined);
    if (typeof next !== "string" && next.length > 0 && !isDeepStrictEqual(next, shards)) {
      shards = next;
      await onShards(next);
    }
    timer = setTimeout(() => void turn(), values.discoverInterval).unref();
  };
  /** One line for each change. */
  const tell = (reason: string | undefined): void => {
    if (reason === problem) return;
    problem = reason;
    if (reason === undefined) log.info({ discover: values.discover }, "shards are found");
    else log.warn({ discover: values.discover, reason }, "looking for shards failed: those that are known stay");
  };
  void turn();
  return {
    shards: () => shards,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
