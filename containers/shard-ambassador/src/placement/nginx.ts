// nginx's `hash ... consistent`: a ring whose points are a chain of CRC-32, for each server as it is written there.
import { updateCrc32 } from "./crc.ts";
import type { Node } from "./node.ts";
import { sorted } from "./ring.ts";
import type { Point } from "./ring.ts";

const POINTS_PER_WEIGHT = 160;

export function nginxPoints(nodes: readonly Node[]): Point[] {
  const points = nodes.flatMap(({ name, weight }, node) => pointsOf(name, weight * POINTS_PER_WEIGHT, node));
  const inOrder = sorted(points);
  return inOrder.filter(({ value }, at) => at === 0 || value !== inOrder[at - 1]!.value);
}

function pointsOf(name: string, count: number, node: number): Point[] {
  const [, host, port] = /^(?:unix:)?(.*?)(?::(\d+))?$/s.exec(name)!;
  const text = Buffer.from(`${host}\0${port ?? ""}`);
  const base = updateCrc32(-1, text, 0, text.length);
  const previous = Buffer.alloc(4);
  return Array.from({ length: count }, () => {
    const value = ~updateCrc32(base, previous, 0, 4);
    previous.writeInt32LE(value);
    return { value, node };
  });
}
