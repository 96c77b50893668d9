// Redis Cluster: a key has one of 16384 slots, and each node a contiguous range of them.
import { crc16Xmodem } from "./crc.ts";
import type { Locate, Node } from "./node.ts";

const SLOTS = 16_384;

/** The ranges are those that `redis-cli --cluster create` gives to as many masters, in their order. */
export function redisCluster(nodes: readonly Node[]): Locate {
  const owners = new Uint16Array(SLOTS).fill(nodes.length - 1);
  const width = Math.fround(SLOTS / nodes.length);
  let first = 0;
  nodes.forEach((_, node) => {
    const last = Math.round(Math.fround(node * width) + width - 1);
    if (node < nodes.length - 1) owners.fill(node, first, last + 1);
    first = last + 1;
  });
  return (key, start, end) => owners[crc16Xmodem(key, start, end) & (SLOTS - 1)]!;
}
