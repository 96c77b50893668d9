// "Did you mean": the valid name that is closest to a misspelt one.

/** Edit distance with transpositions of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, substitution);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** So much of a name, at least, has to be typed to stand for a longer one: `--api-token` for `--api-token-file`. */
const MIN_START = 4;

/**
 * The candidate nearest to `name`, or else one that begins with it, or undefined when none is anywhere near (more than a
 * third of it differs).
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const typed = name.slice(0, 100);
  let best: string | undefined;
  let longer: string | undefined;
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(typed, candidate);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
    if (typed.length >= MIN_START && candidate.startsWith(typed)) longer ??= candidate;
  }
  return best ?? longer;
}
