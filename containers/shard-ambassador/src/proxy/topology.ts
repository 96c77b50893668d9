// The shards in use and who owns what among them: replaced as a whole when the list of shards changes.
import type { Address } from "@outrigger/options";
import { formatAddress } from "@outrigger/options";

import type { Locate, Node } from "../placement/node.ts";
import type { HashTag, PlacementSettings } from "../placement/placement.ts";
import { createPlacement } from "../placement/placement.ts";
import type { Named } from "../placement/plan.ts";
import { ejectedOf } from "./ejection.ts";
import type { EjectionPolicy } from "./ejection.ts";
import type { Shard } from "./shard.ts";

/** What a shard has to be able to do to be in a topology. */
export type Placeable = Pick<Shard, "failures" | "status" | "served" | "setEjected" | "publish" | "close">;

export type ShardSpec = Node & { readonly address: Address };

export type Topology<S extends Placeable = Shard> = {
  readonly shards: readonly S[];
  /** Among the shards that are not ejected. */
  readonly locate: Locate;
  /** Among all shards. */
  readonly home: Locate;
  /** Shards whose keys go to others. */
  readonly ejected: ReadonlySet<S>;
  readonly hashTag: HashTag | undefined;
};

export type Topologies<S extends Placeable = Shard> = {
  /** The one in use; a field, since every command looks at it. */
  current: Topology<S>;
  /** Takes over a new list. Shards that stay keep their connections; those that go finish what is under way. */
  update(specs: readonly ShardSpec[], placement: PlacementSettings): void;
  /** Looks again which shards are ejected. */
  settle(): void;
  /** Who owns a key while this shard, which is one of those in use, is not asked; undefined when it is the last. */
  locateBeside(shard: S): Locate | undefined;
  /** Brings gauges up to date, and closes shards that are not in use any more and have nothing under way. */
  tend(): void;
  close(): void;
};

export type TopologiesSettings<S extends Placeable = Shard> = {
  /** Without one, no shard is ever ejected. */
  readonly policy: EjectionPolicy | undefined;
  open(spec: ShardSpec): S;
  /** The keys of a shard go to others from now on, or to itself again. */
  onEjected(name: string, isEjected: boolean): void;
};

export function createTopologies<S extends Placeable>(
  specs: readonly ShardSpec[],
  placement: PlacementSettings,
  { policy, open, onEjected }: TopologiesSettings<S>,
): Topologies<S> {
  let retired: S[] = [];
  let inUse = { specs, placement };
  const locateBeside = rememberingBeside<S>(locateWithout);
  const topologies: Topologies<S> = {
    current: topologyOf([], new Set()),
    update: (nextSpecs, nextPlacement) => {
      const { shards: before, ejected } = topologies.current;
      inUse = { specs: nextSpecs, placement: nextPlacement };
      topologies.current = topologyOf(before, ejected);
      topologies.settle();
      const kept = new Set(topologies.current.shards);
      const gone = before.filter((shard) => !kept.has(shard));
      for (const shard of gone) shard.setEjected(false);
      retired.push(...gone);
    },
    settle: () => {
      if (policy === undefined) return;
      const { shards, ejected: before, home } = topologies.current;
      const ejected = ejectedOf(shards, before, policy);
      if (ejected.size === before.size && shards.every((shard) => ejected.has(shard) === before.has(shard))) return;
      topologies.current = { ...topologies.current, locate: locateWithout(ejected, shards, home), ejected };
      for (const shard of shards) note(shard, before.has(shard), ejected.has(shard));
    },
    locateBeside: (shard) => locateBeside(topologies.current, shard),
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

  function note(shard: S, was: boolean, is: boolean): void {
    if (was === is) return;
    shard.setEjected(is);
    onEjected(shard.status().name, is);
  }

  /** A placement among the shards that are not ejected. */
  function locateWithout(ejected: ReadonlySet<S>, shards: readonly S[], home: Locate): Locate {
    const nodes = inUse.specs.map((node, index) => ({ node, index }));
    const live = nodes.filter(({ index }) => !ejected.has(shards[index]!));
    return live.length === 0 || live.length === nodes.length ? home : locateAmong(live, inUse.placement);
  }

  function topologyOf(before: readonly S[], wereEjected: ReadonlySet<S>): Topology<S> {
    const { specs: wanted, placement: how } = inUse;
    const opened = new Map(before.map((shard) => [identityOf(shard.status()), shard]));
    const shards = wanted.map((spec) => opened.get(identityOfSpec(spec)) ?? open(spec));
    const home = createPlacement(wanted, how);
    const ejected = new Set(shards.filter((shard) => wereEjected.has(shard)));
    return { shards, locate: locateWithout(ejected, shards, home), home, ejected, hashTag: how.hashTag };
  }
}

const identityOf = ({ name, address }: { name: string; address: string }): string => `${name}\0${address}`;

const identityOfSpec = ({ name, address }: ShardSpec): string => identityOf({ name, address: formatAddress(address) });

/** A topology as plans see it. */
export const namedOf = ({ shards, home }: Topology<Placeable>): Named => ({
  names: shards.map((shard) => shard.status().name),
  locate: home,
});

type Live = { readonly node: ShardSpec; readonly index: number };

/** A placement among some of the shards, which gives their numbers among all. */
function locateAmong(live: readonly Live[], placement: PlacementSettings): Locate {
  const locate = createPlacement(
    live.map(({ node }) => node),
    placement,
  );
  return (key, start, end) => live[locate(key, start, end)]!.index;
}

type LocateWithout<S extends Placeable> = (ejected: ReadonlySet<S>, shards: readonly S[], home: Locate) => Locate;

/** Makes a placement without one more shard when it is first needed, and keeps it as long as the topology. */
function rememberingBeside<S extends Placeable>(
  locateWithout: LocateWithout<S>,
): (current: Topology<S>, shard: S) => Locate | undefined {
  const made = new WeakMap<Topology<S>, Map<S, Locate>>();
  return (current, shard) => {
    const { shards, ejected, home } = current;
    if (!shards.includes(shard) || shards.every((other) => other === shard || ejected.has(other))) return undefined;
    const known = made.get(current) ?? new Map<S, Locate>();
    made.set(current, known);
    const locate = known.get(shard) ?? locateWithout(new Set([...ejected, shard]), shards, home);
    known.set(shard, locate);
    return locate;
  };
}
