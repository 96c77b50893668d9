// A ring of points, each of which belongs to a node: a hash belongs to the first point that is not below it.

export type Point = { readonly value: number; readonly node: number };

/** The node that owns a hash; `hash` is 32 bits, signed or not. */
export type Ring = (hash: number) => number;

/** The points in their order; of equal ones the first stays first. */
export const sorted = (points: readonly Point[]): Point[] =>
  points.map((point) => ({ ...point, value: point.value >>> 0 })).sort((a, b) => a.value - b.value);

export function createRing(points: readonly Point[]): Ring {
  const inOrder = sorted(points);
  const values = Uint32Array.from(inOrder, ({ value }) => value);
  const nodes = Uint32Array.from(inOrder, ({ node }) => node);
  return (hash) => {
    const wanted = hash >>> 0;
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return nodes[low === values.length ? 0 : low]!;
  };
}
