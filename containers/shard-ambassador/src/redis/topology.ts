// The shards in use and who owns what among them: replaced as a whole when the list of shards changes.
import type { Address } from "@outrigger/options";
import { formatAddress } from "@outrigger/options";

import type { Locate, Node } from "../placement/node.ts";
import type { HashTag, PlacementSettings } from "../placement/placement.ts";
import { createPlacement } from "../placement/placement.ts";
import type { Named } from "../placement/plan.ts";
import type { Shard } from "./shard.ts";

export type ShardSpec = Node & { readonly address: Address };

export type Topology = {
  readonly shards: readonly Shard[];
  readonly locate: Locate;
  readonly hashTag: HashTag | undefined;
};

export type Topologies = {
  /** The one in use; a field, since every command looks at it. */
  current: Topology;
  /** Takes over a new list. Shards that stay keep their connections; those that go finish what is under way. */
  update(specs: readonly ShardSpec[], placement: PlacementSettings): void;
  /** Brings gauges up to date, and closes shards that are not in use any more and have nothing under way. */
  tend(): void;
  close(): void;
};

export function createTopologies(
  specs: readonly ShardSpec[],
  placement: PlacementSettings,
  open: (spec: ShardSpec) => Shard,
): Topologies {
  let retired: Shard[] = [];
  const topologies: Topologies = {
    current: topologyOf([]),
    update: (nextSpecs, nextPlacement) => {
      const before = topologies.current.shards;
      topologies.current = topologyOf(before, nextSpecs, nextPlacement);
      const kept = new Set(topologies.current.shards);
      retired.push(...before.filter((shard) => !kept.has(shard)));
    },
    tend: () => {
      for (const shard of topologies.current.shards) shard.publish();
      const idle = retired.filter((shard) => shard.status().inFlight === 0);
      retired = retired.filter((shard) => !idle.includes(shard));
      for (const shard of idle) shard.close();
    },
    close: () => {
      for (const shard of [...topologies.current.shards, ...retired]) shard.close();
    },
  };
  return topologies;

  function topologyOf(before: readonly Shard[], wanted = specs, how = placement): Topology {
    const opened = new Map(before.map((shard) => [identityOf(shard.status()), shard]));
    const shards = wanted.map((spec) => {
      return opened.get(identityOf({ name: spec.name, address: formatAddress(spec.address) })) ?? open(spec);
    });
    return { shards, locate: createPlacement(wanted, how), hashTag: how.hashTag };
  }
}

const identityOf = ({ name, address }: { name: string; address: string }): string => `${name}\0${address}`;

/** A topology as plans see it. */
export const namedOf = ({ shards, locate }: Topology): Named => ({
  names: shards.map((shard) => shard.status().name),
  locate,
});
