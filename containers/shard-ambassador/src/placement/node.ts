// What is placed, and what a distribution is.

/** A shard as placement sees it: a name, which is its identity, and a weight from 1 on. */
export type Node = { readonly name: string; readonly weight: number };

/** Which of the nodes owns a key: the index of one, from a range of bytes. Allocates nothing. */
export type Locate = (key: Uint8Array, start: number, end: number) => number;

export const totalWeight = (nodes: readonly Node[]): number => nodes.reduce((sum, { weight }) => sum + weight, 0);
