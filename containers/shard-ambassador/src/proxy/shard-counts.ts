// What is counted of one shard: metrics, and the numbers behind its statistics.
import type { Cell, HistogramCell } from "@outrigger/runtime";

import { SHARD_FAILURES } from "./shard-failures.ts";
import type { ShardFailure } from "./shard-failures.ts";
import type { ShardLink } from "./shard-link.ts";
import type { ShardStatistics } from "./statistics.ts";

export type ShardCounters = {
  readonly requests: Cell;
  readonly errors: Readonly<Record<ShardFailure, Cell>>;
  readonly inFlight: Cell;
  readonly up: Cell;
  readonly duration: HistogramCell;
  readonly ejected: Cell;
  readonly ejections: Cell;
};

type Losses = Record<"ended" | "failed" | "timedOut" | "refused", number>;

/** How the end of a connection counts. */
const LOSS_OF: Readonly<Record<ShardFailure, keyof Losses>> = {
  down: "failed",
  connect_failed: "failed",
  connect_timeout: "timedOut",
  lost: "ended",
  timeout: "timedOut",
  bad_reply: "failed",
  refused: "failed",
};

function statisticsOf(links: readonly ShardLink[]): Omit<ShardStatistics, "ejectedAt" | "ejections" | keyof Losses> {
  const sum = (count: (link: ShardLink) => number): number => links.reduce((total, link) => total + count(link), 0);
  return {
    connections: sum(({ isConnected }) => (isConnected ? 1 : 0)),
    requests: sum(({ requests }) => requests),
    requestBytes: sum(({ requestBytes }) => requestBytes),
    responses: sum(({ responses }) => responses),
    responseBytes: sum(({ responseBytes }) => responseBytes),
    unsent: sum(({ isConnected, inFlight }) => (isConnected ? 0 : inFlight)),
    unsentBytes: sum(({ unsentBytes }) => unsentBytes),
    unanswered: sum(({ isConnected, inFlight }) => (isConnected ? inFlight : 0)),
    unansweredBytes: sum(({ isConnected, unansweredBytes }) => (isConnected ? unansweredBytes : 0)),
  };
}

export type ShardCounts = {
  onFailure(reason: ShardFailure): void;
  onLost(reason: ShardFailure): void;
  setEjected(isEjected: boolean): void;
  statistics(links: readonly ShardLink[]): ShardStatistics;
};

export function createShardCounts(counters: ShardCounters): ShardCounts {
  const losses: Losses = { ended: 0, failed: 0, timedOut: 0, refused: 0 };
  const ejection = { ejectedAt: 0, ejections: 0 };
  return {
    onFailure: (reason) => {
      counters.errors[reason].add(1);
      if (reason === "down") losses.refused++;
    },
    onLost: (reason) => void losses[LOSS_OF[reason]]++,
    setEjected: (isEjected) => {
      counters.ejected.set(isEjected ? 1 : 0);
      if (!isEjected) return;
      counters.ejections.add(1);
      ejection.ejections++;
      ejection.ejectedAt = Date.now();
    },
    statistics: (links) => ({ ...losses, ...ejection, ...statisticsOf(links) }),
  };
}

/** A cell for each reason. */
export const errorCells = (cellOf: (reason: ShardFailure) => Cell): Record<ShardFailure, Cell> =>
  Object.fromEntries(SHARD_FAILURES.map((reason) => [reason, cellOf(reason)])) as Record<ShardFailure, Cell>;
