// One shard: its connections, which clients share, and what is counted for it.
import { formatAddress } from "@outrigger/options";

import { createShardCounts } from "./shard-counts.ts";
import type { ShardCounters } from "./shard-counts.ts";
import { ShardLink } from "./shard-link.ts";
import type { LinkSettings, OwnLinkSettings } from "./shard-link.ts";
import type { ShardStatistics } from "./statistics.ts";

export type ShardSettings = Pick<
  LinkSettings,
  "name" | "address" | "wire" | "tls" | "turn" | "deadlines" | "connectTimeout" | "timeout" | "maxBackoff" | "maxReply"
> & {
  /** What each connection begins with, by the version of the protocol. */
  readonly greetings: Readonly<Record<2 | 3, readonly Buffer[]>>;
  /** Connections for each version of the protocol. */
  readonly connections: number;
  readonly counters: ShardCounters;
  /** Whether the shard can be reached; told when that changes. */
  onState(isUp: boolean, reason: string): void;
  /** It has failed, or works again. */
  onHealth(): void;
};

export type ShardStatus = {
  readonly name: string;
  readonly address: string;
  readonly up: boolean;
  readonly reason: string;
  readonly inFlight: number;
};

export type Shard = {
  readonly counters: ShardCounters;
  /** The connection for a client: always the same, so that a client's commands stay in order. */
  link(protocol: 2 | 3, client: number): ShardLink;
  /** Opens a connection for one client alone, who has to close it. */
  openOwn(protocol: 2 | 3, settings: OwnLinkSettings): ShardLink;
  /** Failures in a row: lost connections, late replies, attempts to connect. */
  failures(): number;
  isUp(): boolean;
  /** Who answers a command that only reads; the shard itself where this is undefined. */
  reader?(): Shard;
  status(): ShardStatus;
  statistics(): ShardStatistics;
  /** Requests so far. */
  served(): number;
  /** Its keys go to others from now on, or to itself again. */
  setEjected(isEjected: boolean): void;
  /** Brings gauges up to date. */
  publish(): void;
  close(): void;
};

/** Connects with RESP2 at once; with RESP3 when the first client asks for it. */
export function createShard(settings: ShardSettings): Shard {
  const { name, address, connections, counters } = settings;
  const links: Record<2 | 3, (ShardLink | undefined)[]> = { 2: [], 3: [] };
  const all = (): ShardLink[] => [...links[2], ...links[3]].filter((link) => link !== undefined);
  const isUpByLink = new Map<string, boolean>();
  const counts = createShardCounts(counters);
  let failures = 0;
  let state = { up: false, reason: "not connected yet" };
  const link = (protocol: 2 | 3, client: number): ShardLink => {
    const at = client % connections;
    return (links[protocol][at] ??= open(protocol, at));
  };
  const status = (): ShardStatus => ({
    name,
    address: formatAddress(address),
    ...state,
    inFlight: all().reduce((sum, { inFlight }) => sum + inFlight, 0),
  });
  counters.up.set(0);
  for (let at = 0; at < connections; at++) link(2, at);
  return {
    counters,
    link,
    openOwn: (protocol, own) => new ShardLink({ ...commonOf(protocol), onState: () => undefined, ...own }),
    failures: () => failures,
    isUp: () => state.up,
    status,
    served: () => all().reduce((sum, { requests }) => sum + requests, 0),
    statistics: () => counts.statistics(all()),
    setEjected: counts.setEjected,
    publish: () => counters.inFlight.set(status().inFlight),
    close: () => {
      for (const one of all()) one.close();
    },
  };

  /** What all connections have in common. */
  function commonOf(protocol: 2 | 3) {
    const onReply = (seconds: number): void => counters.duration.observe(seconds);
    return { ...settings, greeting: settings.greetings[protocol], onReply, onFailure: counts.onFailure };
  }

  function open(protocol: 2 | 3, at: number): ShardLink {
    return new ShardLink({
      ...commonOf(protocol),
      onLost: counts.onLost,
      onState: (isUp, reason) => {
        isUpByLink.set(`${protocol}/${at}`, isUp);
        failures = isUp ? 0 : failures + 1;
        onState([...isUpByLink.values()].some(Boolean), reason);
      },
    });
  }

  function onState(up: boolean, reason: string): void {
    const before = state;
    state = { up, reason };
    counters.up.set(up ? 1 : 0);
    if (before.up !== up || before.reason === "not connected yet") settings.onState(up, reason);
    settings.onHealth();
  }
}
