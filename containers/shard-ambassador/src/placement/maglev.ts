// Maglev: a table in which each node claims places in an order of its own. A lookup is one hash and one access, and
// nearly only the keys that have to move do. The permutations and the turns of weighted nodes are Envoy's.
import type { Locate, Node } from "./node.ts";
import { lower, upper, xxh64 } from "./xxh64.ts";

/** A prime, and 2^32 leaves 1 when divided by it, which makes the remainder of 64 bits a sum. */
const SIZE = 65_537;

const remainder = (modulus: number): number =>
  (((upper() >>> 0) % modulus) * (2 ** 32 % modulus) + ((lower() >>> 0) % modulus)) % modulus;

export function maglev(nodes: readonly Node[]): Locate {
  const table = fill(nodes);
  return (key, start, end) => {
    xxh64(key, start, end);
    return table[((upper() >>> 0) + (lower() >>> 0)) % SIZE]!;
  };
}

function fill(nodes: readonly Node[]): Uint16Array {
  const heaviest = Math.max(...nodes.map(({ weight }) => weight));
  const players = nodes
    .map(({ name, weight }, node) => ({ name, weight, node, target: 0, next: 0, ...permutationOf(name) }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const table = new Uint16Array(SIZE).fill(0xffff);
  let free = SIZE;
  for (let turn = 1; free > 0; turn++) {
    for (const player of players) {
      if (free === 0 || turn * player.weight < player.target) continue;
      player.target += heaviest;
      while (table[(player.offset + player.skip * player.next) % SIZE] !== 0xffff) player.next++;
      table[(player.offset + player.skip * player.next) % SIZE] = player.node;
      player.next++;
      free--;
    }
  }
  return table;
}

function permutationOf(name: string): { offset: number; skip: number } {
  const bytes = Buffer.from(name);
  xxh64(bytes, 0, bytes.length);
  const offset = remainder(SIZE);
  xxh64(bytes, 0, bytes.length, 1);
  return { offset, skip: remainder(SIZE - 1) + 1 };
}
