// What all pools of a process share: one turn, one sweep of the timeouts, one budget of bytes, one buffer for replies.
import { createDeadlines } from "@outrigger/http";
import type { Deadlines } from "@outrigger/http";

import type { Metrics } from "../metrics.ts";
import type { ShardTls } from "../shard-tls.ts";
import { createBudget } from "./budget.ts";
import type { Budget } from "./budget.ts";
import { createReplyWriter } from "./reply-writer.ts";
import type { ReplyWriter } from "./reply-writer.ts";
import { createTurn } from "./turn.ts";
import type { Turn } from "./turn.ts";

export type Machinery = {
  readonly turn: Turn;
  readonly deadlines: Deadlines;
  readonly budget: Budget;
  readonly writer: ReplyWriter;
  /** Undefined where shards are spoken to in plain text. */
  readonly tls: ShardTls | undefined;
  /** Adds bytes that are held elsewhere to what is told of the memory in use. */
  countMemory(used: () => number): void;
  /** Has it called with each sweep of the timeouts; gives what takes that back. */
  onSweep(tend: () => void): () => void;
};

export type MachinerySettings = {
  /** In bytes. */
  readonly memoryLimit: number;
  readonly metrics: Metrics;
  readonly tls: ShardTls | undefined;
  /** Called with each sweep, for liveness. */
  beat(): void;
};

export function createMachinery({ memoryLimit, metrics, tls, beat }: MachinerySettings): Machinery {
  const full = metrics.memoryFull.cell({});
  const memory = metrics.memory.cell({});
  const budget = createBudget(memoryLimit, () => full.add(1));
  const counted: (() => number)[] = [];
  const tended = new Set<() => void>();
  const deadlines = createDeadlines(() => {
    beat();
    memory.set(counted.reduce((sum, used) => sum + used(), budget.used()));
    for (const tend of tended) tend();
  });
  const onSweep: Machinery["onSweep"] = (tend) => {
    tended.add(tend);
    return () => void tended.delete(tend);
  };
  return {
    turn: createTurn(),
    deadlines,
    budget,
    writer: createReplyWriter(),
    tls,
    countMemory: (used) => void counted.push(used),
    onSweep,
  };
}
