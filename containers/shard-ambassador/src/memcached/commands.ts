// The commands of memcached's text protocol: where their keys are, and how many words they have.

export type Command = {
  readonly kind:
    | "keys" // all words from `first` on
    | "key" // word 1; the last word may be `noreply`
    | "meta" // word 1; flags follow from `flags` on
    | "local" // answered by the ambassador
    | "whole"; // concerns a whole server
  readonly first: number;
  readonly flags: number;
  /** How many words there are, the name included. */
  readonly min: number;
  readonly max: number;
};

type Spec = Pick<Command, "kind" | "min"> & Partial<Command> & { readonly names: string };

const SPECS: readonly Spec[] = [
  { names: "get gets", kind: "keys", min: 2 },
  { names: "gat gats", kind: "keys", first: 2, min: 3 },
  { names: "set add replace append prepend", kind: "key", min: 5, max: 6 },
  { names: "cas", kind: "key", min: 6, max: 7 },
  { names: "incr decr touch", kind: "key", min: 3, max: 4 },
  { names: "delete", kind: "key", min: 2, max: 4 },
  { names: "me", kind: "key", min: 2, max: 2 },
  { names: "mg md ma", kind: "meta", flags: 2, min: 2, max: 20 },
  { names: "ms", kind: "meta", flags: 3, min: 3, max: 20 },
  { names: "version quit mn", kind: "local", min: 1, max: 1 },
  { names: "outrigger", kind: "local", min: 3, max: 3 },
  {
    names: "stats flush_all verbosity cache_memlimit shutdown slabs lru lru_crawler watch refresh_certs",
    kind: "whole",
    min: 1,
  },
];

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  SPECS.flatMap(({ names, ...given }) =>
    names
      .split(" ")
      .map(
        (name) => [name, { first: 1, flags: 0, max: Number.POSITIVE_INFINITY, ...given }] satisfies [string, Command],
      ),
  ),
);
