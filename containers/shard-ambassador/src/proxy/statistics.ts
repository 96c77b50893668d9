// What is counted of a pool and of its shards beside the metrics.

export type ShardStatistics = {
  /** Connections that the shard has ended, that have failed otherwise, and that were too slow. */
  readonly ended: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly connections: number;
  /** When its keys last went to others, in milliseconds since the epoch; 0 for never. */
  readonly ejectedAt: number;
  readonly ejections: number;
  readonly requests: number;
  readonly requestBytes: number;
  readonly responses: number;
  readonly responseBytes: number;
  /** Commands that have not been sent yet, and those that are not answered yet. */
  readonly unsent: number;
  readonly unsentBytes: number;
  readonly unanswered: number;
  readonly unansweredBytes: number;
  /** Commands that got an error at once, since it was down. */
  readonly refused: number;
};

export type ClientStatistics = {
  /** Clients that are connected, and all that ever were. */
  readonly clients: number;
  readonly clientsEver: number;
  /** Clients that have ended their connection in order, and those whose connection broke. */
  readonly clientsEnded: number;
  readonly clientsFailed: number;
};

export type PoolStatistics = ClientStatistics & {
  /** Commands to one shard that were made out of commands over several. */
  readonly fragments: number;
  readonly shards: Readonly<Record<string, ShardStatistics>>;
};
