// Begins what takes more than one command: transactions and subscriptions.
import type { DispatchSettings, Session } from "../proxy/dispatching.ts";
import type { Shard } from "../proxy/shard.ts";
import type { Slot } from "../proxy/slot.ts";
import type { Command } from "./commands.ts";
import { createOwnConnections } from "./own-connections.ts";
import type { RequestParser } from "./request-parser.ts";
import { Subscription } from "./subscription.ts";
import { Transaction } from "./transaction.ts";
import type { TransactionSettings } from "./transaction.ts";

export type SpecialsSettings = Pick<DispatchSettings, "topologies" | "bounds" | "onOwnConnections" | "onSweep"> &
  Pick<TransactionSettings, "shardFor" | "refuseCrossShard" | "refuse">;

export type Specials = {
  /** Answers a command of one of the kinds, for a client that has begun nothing yet. */
  begin(command: Command, request: RequestParser, slot: Slot, session: Session): void;
  /** Whether a command is answered by what its client has begun. */
  take(command: Command | undefined, request: RequestParser, slot: Slot, session: Session): boolean;
};

const HELLO = "'hello' has to come before a client subscribes or watches, or after it has ended that";

export function createSpecials(settings: SpecialsSettings): Specials {
  const { topologies, bounds } = settings;
  const own = createOwnConnections(bounds.maxOwnConnections, settings.onOwnConnections);
  const subscriptions = new Set<Subscription>();
  let known = topologies.current;
  settings.onSweep(() => {
    if (known === topologies.current) return;
    known = topologies.current;
    for (const subscription of subscriptions) subscription.tend();
  });
  const ownerOf = (channel: Buffer): Shard => {
    const { shards, locate } = topologies.current;
    return shards[locate(channel, 0, channel.length)]!;
  };
  return {
    take: (command, request, slot, { special }) => {
      if (command?.name !== "hello") return special!.take(command, request, slot);
      settings.refuse(slot, "unsupported", HELLO);
      return true;
    },
    begin: (command, request, slot, session) => {
      if (command.kind === "transaction") {
        const anyShard = (): Shard => topologies.current.shards[0]!;
        const transaction = new Transaction({
          ...settings,
          session,
          own,
          maxBytes: bounds.maxTransaction,
          anyShard,
        });
        session.special = transaction;
        transaction.handle(command.name, command, request, slot);
        transaction.settle();
        return;
      }
      const onEnd = (): void => void subscriptions.delete(subscription);
      const subscription = new Subscription({ ...settings, session, own, ownerOf, onEnd });
      subscriptions.add(subscription);
      session.special = subscription;
      subscription.handle(command, request, slot);
    },
  };
}
