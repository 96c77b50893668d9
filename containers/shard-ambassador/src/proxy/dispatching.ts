// What the dispatchers of all protocols are given.
import type { Secret } from "@outrigger/options";

import type { Topologies } from "./topology.ts";

/** Why the ambassador answers a command with an error of its own. */
export const REFUSALS = [
  "unknown_command",
  "unsupported",
  "bad_arguments",
  "cross_shard",
  "unauthenticated",
  "bad_request",
  "no_key",
  "overloaded",
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What a client's connection remembers. */
export type Session = {
  readonly id: number;
  protocol: 2 | 3;
  name: string;
  /** Whether the password was given, where one is needed. */
  isAuthenticated: boolean;
  /** Ends the connection after this reply. */
  quit(): void;
};

/** Which shard owns a key. */
export type Explain = (key: Uint8Array) => { readonly shard: string; readonly address: string };

export type LocalSettings = {
  readonly explain: Explain;
  readonly version: string;
  /** What clients must give, if anything. */
  readonly password: Secret | undefined;
  /** The database that connections to shards have selected. */
  readonly database: number;
};

export type DispatchSettings = {
  readonly topologies: Pick<Topologies, "current">;
  readonly local: LocalSettings;
  onRefused(reason: Refusal): void;
  /** A command was split into so many. */
  onSplit(parts: number): void;
};
