// Rendezvous hashing: each node draws a number for the key, and the highest wins. When a node comes, only the keys that
// it wins move; when one goes, only its own; neither the order of the nodes nor their addresses matter.
import type { Locate, Node } from "./node.ts";
import { load, lower, mix, upper, xxh64 } from "./xxh64.ts";

/** The number at work, as 53 bits between 0 and 1, neither of them included. */
const drawn = (): number => ((upper() >>> 0) * 0x200000 + (lower() >>> 11) + 0.5) / 2 ** 53;

/**
 * A node draws mix(xxh64(key) ^ xxh64(name)), taken as a number u between 0 and 1; with weights that differ, the draw is
 * ln(u)/weight, which makes each node win its share exactly.
 */
export function rendezvous(nodes: readonly Node[]): Locate {
  const names = Int32Array.from(nodes.flatMap(({ name }) => halvesOf(name)));
  const weights = Float64Array.from(nodes, ({ weight }) => weight);
  const equal = weights.every((weight) => weight === weights[0]);
  return (key, start, end) => {
    xxh64(key, start, end);
    const keyUpper = upper();
    const keyLower = lower();
    let best = -Infinity;
    let winner = 0;
    for (let node = 0; node < weights.length; node++) {
      load(keyUpper ^ names[2 * node]!, keyLower ^ names[2 * node + 1]!);
      mix();
      const draw = equal ? drawn() : Math.log(drawn()) / weights[node]!;
      if (draw > best) {
        best = draw;
        winner = node;
      }
    }
    return winner;
  };
}

function halvesOf(name: string): [number, number] {
  const bytes = Buffer.from(name);
  xxh64(bytes, 0, bytes.length);
  return [upper(), lower()];
}
