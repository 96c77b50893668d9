// What the dispatchers of all protocols are given.
import type { Secret } from "@outrigger/options";

import type { Command } from "../redis/commands.ts";
import type { RequestParser } from "../redis/request-parser.ts";
import type { HotKeys } from "./hot-keys.ts";
import type { Slot } from "./slot.ts";
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
  /** What sees its commands first: a transaction, or a subscription. */
  special: Special | undefined;
  /** Ends the connection after this reply. */
  quit(): void;
  /** Ends it at once. */
  destroy(): void;
  /** Takes note of bytes that are held for it; a negative number releases them. */
  hold(bytes: number): void;
  /** Sends something that is no reply, after the replies that are ready. */
  push(bytes: Buffer): void;
};

/** Something that a client has begun with one command, and that others belong to. */
export type Special = {
  /** Sees each command first; false leaves it to who else would answer it. */
  take(command: Command | undefined, request: RequestParser, slot: Slot): boolean;
  /** The client is gone. */
  close(): void;
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
  readonly hotKeys: Pick<HotKeys, "see">;
  /** How many connections clients may have for themselves, and how many bytes a transaction may have. */
  readonly bounds: { readonly maxOwnConnections: number; readonly maxTransaction: number };
  onOwnConnections(open: number): void;
  /** Has it called now and then, until what it gives is called. */
  onSweep(tend: () => void): () => void;
  onRefused(reason: Refusal): void;
  /** A command was split into so many. */
  onSplit(parts: number): void;
};
