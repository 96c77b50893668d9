// What a client is told whose command cannot be sent to a shard.
import type { HashTag } from "../placement/placement.ts";
import type { DispatchSettings, Refusal } from "../proxy/dispatching.ts";
import type { Slot } from "../proxy/slot.ts";
import type { Command } from "./commands.ts";
import { CROSS_SHARD, WOULD_BLOCK } from "./keys.ts";
import { errorReply } from "./replies.ts";

export type Refusing = {
  refuse(slot: Slot, reason: Refusal, text: string, code?: string): void;
  refuseBlocking(slot: Slot, name: string): void;
  /** It concerns a whole server. */
  refuseWhole(slot: Slot, name: string): void;
  /** Says why there is no shard for the keys of a command: one of the negative numbers of keys.ts. */
  refuseKeys(command: Command, why: number, slot: Slot): void;
};

export function createRefusing({
  topologies,
  onRefused,
}: Pick<DispatchSettings, "topologies" | "onRefused">): Refusing {
  const refuse: Refusing["refuse"] = (slot, reason, text, code) => {
    onRefused(reason);
    slot.answer(errorReply(text, code));
  };
  const refuseBlocking: Refusing["refuseBlocking"] = (slot, name) =>
    refuse(slot, "unsupported", `'${name}' would wait, and hold up all who share the connection to the shard`);
  return {
    refuse,
    refuseBlocking,
    refuseWhole: (slot, name) =>
      refuse(
        slot,
        "unsupported",
        `'${name}' concerns a whole server or its connection, and cannot be sent to one shard`,
      ),
    refuseKeys: ({ name }, why, slot) => {
      if (why === WOULD_BLOCK) return refuseBlocking(slot, name);
      if (why !== CROSS_SHARD) return refuse(slot, "bad_arguments", `wrong number of arguments for '${name}' command`);
      const remedy = remedyOf(topologies.current.hashTag);
      return refuse(slot, "cross_shard", `keys of '${name}' are on different shards: ${remedy}`, "CROSSSHARD");
    },
  };
}

function remedyOf(hashTag: HashTag | undefined): string {
  if (hashTag === undefined) return "give --hash-tag, and keys a common part between its two characters";
  const [open, close] = [hashTag.open, hashTag.close].map((code) => String.fromCharCode(code));
  return `a hash tag keeps them together, such as user:${open}7${close}:name and user:${open}7${close}:mail`;
}
