// Why a shard could not answer, as labels and in words.

/** Why a shard could not answer. */
export const SHARD_FAILURES = [
  "down",
  "connect_failed",
  "connect_timeout",
  "lost",
  "timeout",
  "bad_reply",
  "refused",
] as const;
export type ShardFailure = (typeof SHARD_FAILURES)[number];

export const WORDS: Record<ShardFailure, string> = {
  down: "is down",
  connect_failed: "cannot be reached",
  connect_timeout: "does not answer new connections in time",
  lost: "closed the connection",
  timeout: "does not answer in time",
  bad_reply: "answered something that is no reply",
  refused: "refused the connection",
};
