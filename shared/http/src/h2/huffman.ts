// The Huffman code of HPACK (RFC 7541 appendix B). It is canonical, so the lengths of the codes say all of it.

/** Bits of the code of each byte; the end of a string, 256, has 30. */
// prettier-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END = 256;
/** Padding is the beginning of the code of the end, shorter than a byte (RFC 7541 section 5.2). */
const MAX_PADDING = 7;

/** A node is two children each; a child is another node, or a symbol as its complement. */
function treeOf(lengths: readonly number[]): number[][] {
  const nodes: number[][] = [[0, 0]];
  const symbols = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  let code = 0;
  let before = lengths[symbols[0]!]!;
  for (const symbol of symbols) {
    const length = lengths[symbol]!;
    code *= 2 ** (length - before);
    before = length;
    insert(nodes, { code, length, symbol });
    code++;
  }
  return nodes;
}

function insert(nodes: number[][], { code, length, symbol }: { code: number; length: number; symbol: number }): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const side = (code >> bit) & 1;
    const next = nodes[node]![side]!;
    if (next === 0) nodes[node]![side] = nodes.push([0, 0]) - 1;
    node = nodes[node]![side]!;
  }
  nodes[node]![code & 1] = ~symbol;
}

const NODES = treeOf(LENGTHS);
const FAILED = 0xffff;
const NO_SYMBOL = 0xffff;
/** For each node and each four bits that follow: the node behind them, and the symbol that ended among them. */
const NEXT = new Uint16Array(NODES.length * 16);
const SYMBOL = new Uint16Array(NODES.length * 16).fill(NO_SYMBOL);
/** Whether a string may end at a node: only ones, and fewer than eight, since the last symbol. */
const MAY_END = new Uint8Array(NODES.length);

for (const [node] of NODES.entries()) {
  for (let nibble = 0; nibble < 16; nibble++) {
    let at = node;
    for (let bit = 3; bit >= 0 && at !== FAILED; bit--) {
      at = NODES[at]![(nibble >> bit) & 1]!;
      if (at >= 0) continue;
      // No code is shorter than five bits, so there is one at most.
      SYMBOL[node * 16 + nibble] = ~at;
      at = ~at === END ? FAILED : 0;
    }
    NEXT[node * 16 + nibble] = at;
  }
}
for (let node = 0, ones = 0; ones <= MAX_PADDING; ones++) {
  MAY_END[node] = 1;
  node = NODES[node]![1]!;
}

/**
 * Decodes `bytes[start, end)` into `out` from 0 on; gives the length, or -1 when it is no Huffman string. `out` needs
 * eight bytes for each five.
 */
export function decodeHuffman(bytes: Buffer, start: number, end: number, out: Buffer): number {
  let node = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = node * 16 + ((byte >> shift) & 15);
      node = NEXT[step]!;
      if (node === FAILED) return -1;
      const symbol = SYMBOL[step]!;
      if (symbol !== NO_SYMBOL) out[length++] = symbol;
    }
  }
  return MAY_END[node] === 1 ? length : -1;
}
