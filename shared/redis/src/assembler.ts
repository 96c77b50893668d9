// Puts the elements of a reply together: what is within an array or a map goes there, until it is full.
import type { Reply } from "./reply.ts";

export type AggregateKind = "array" | "map" | "attribute" | "push";

/** Said where an element did not complete a reply. */
export const INCOMPLETE = Symbol("the reply is not complete");

export type Assembler = {
  /** Whether no reply has been begun. */
  isIdle(): boolean;
  /** Puts a value where it belongs; gives the whole reply when that completes it. */
  add(value: Reply): Reply | typeof INCOMPLETE;
  /** Begins an aggregate of so many items; those of a map and of an attribute are two values each. */
  begin(kind: AggregateKind, length: number): Reply | typeof INCOMPLETE;
};

/** How deep replies may nest: Redis's own go to about five. */
const MAX_DEPTH = 32;

/** An aggregate that waits for its remaining values. */
type Open = { readonly kind: AggregateKind; remaining: number; readonly items: Reply[] };

/** Attributes and pushes are beside the reply, not in it. */
const isBeside = (kind: AggregateKind): boolean => kind === "attribute" || kind === "push";

function closed({ kind, items }: Open): Reply {
  if (kind !== "map") return items;
  const map = new Map<Reply, Reply>();
  for (let at = 0; at < items.length; at += 2) map.set(items[at]!, items[at + 1]!);
  return map;
}

export function createAssembler(): Assembler {
  const open: Open[] = [];
  const add: Assembler["add"] = (value) => {
    for (let current = value; ;) {
      const top = open.at(-1);
      if (top === undefined) return current;
      top.items.push(current);
      if (--top.remaining > 0) return INCOMPLETE;
      open.pop();
      if (isBeside(top.kind)) return INCOMPLETE;
      current = closed(top);
    }
  };
  return {
    isIdle: () => open.length === 0,
    add,
    begin: (kind, length) => {
      const count = length * (kind === "map" || kind === "attribute" ? 2 : 1);
      if (open.length >= MAX_DEPTH) throw new Error(`redis reply: expected at most ${MAX_DEPTH} levels, got more`);
      const aggregate = { kind, remaining: count, items: [] };
      if (count > 0) open.push(aggregate);
      return count > 0 || isBeside(kind) ? INCOMPLETE : add(closed(aggregate));
    },
  };
}
