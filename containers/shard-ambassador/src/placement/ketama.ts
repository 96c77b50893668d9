// twemproxy's ketama: a ring whose points come from MD5, weighted in C's `float`.
import { md5Of, md5Words } from "./md5.ts";
import { totalWeight } from "./node.ts";
import type { Node } from "./node.ts";
import type { Point } from "./ring.ts";

const POINTS_PER_NODE = 160;
const POINTS_PER_DIGEST = 4;

/** How many points a node gets: 160 with equal weights. Each step is rounded as C rounds it. */
function pointsOf(weight: number, total: number, count: number): number {
  const f = Math.fround;
  const share = f(f(weight) / f(total));
  const exact = f(f(f(share * POINTS_PER_NODE) / POINTS_PER_DIGEST) * f(count));
  return Math.floor(f(exact + 1e-10)) * POINTS_PER_DIGEST;
}

export function ketamaPoints(nodes: readonly Node[]): Point[] {
  const total = totalWeight(nodes);
  return nodes.flatMap(({ name, weight }, node) => {
    const points: Point[] = [];
    const digests = pointsOf(weight, total, nodes.length) / POINTS_PER_DIGEST;
    for (let i = 0; i < digests; i++) {
      const text = Buffer.from(`${name}-${i}`);
      md5Of(text, 0, text.length);
      for (const value of md5Words) points.push({ value, node });
    }
    return points;
  });
}

/** The name under which twemproxy places a server that has none: without the port if that is memcached's. */
export const ketamaName = (host: string, port: number): string => (port === 11_211 ? host : `${host}:${port}`);
