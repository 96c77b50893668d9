// A shard with replicas, which may answer what only reads.
import type { Shard } from "./shard.ts";

export type ReadSettings = {
  /** Reads go to replicas, not only when the shard is down. */
  readonly prefersReplicas: boolean;
  /** Reads go to replicas while the shard is down. */
  readonly fallsBack: boolean;
};

/** The same shard, with its replicas opened, published and closed along with it. */
export function withReplicas(
  primary: Shard,
  replicas: readonly Shard[],
  { prefersReplicas, fallsBack }: ReadSettings,
): Shard {
  if (replicas.length === 0) return primary;
  const all = [primary, ...replicas];
  let turn = 0;
  const next = (): Shard | undefined => {
    for (let tried = 0; tried < replicas.length; tried++) {
      const replica = replicas[turn++ % replicas.length]!;
      if (replica.isUp()) return replica;
    }
    return undefined;
  };
  return {
    ...primary,
    reader: () => {
      const wantsReplica = prefersReplicas || (fallsBack && !primary.isUp());
      return (wantsReplica ? next() : undefined) ?? primary;
    },
    status: () => {
      const inFlight = all.reduce((sum, shard) => sum + shard.status().inFlight, 0);
      return { ...primary.status(), inFlight };
    },
    publish: () => {
      for (const shard of all) shard.publish();
    },
    close: () => {
      for (const shard of all) shard.close();
    },
  };
}
