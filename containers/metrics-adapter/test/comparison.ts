// Compares our page with an established exporter's, field by field: names, types, labels and values. Each difference has
// to stand, with its reason, in a file beside the test; and what stands there has to be a difference.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Metrics, Sample } from "@outrigger/testing";

type Explained = { readonly what: string; readonly pattern: RegExp; readonly line: string };

/**
 * Lines of `only-here|only-there|type|labels|value <names with commas, in which * stands for anything>: <reason>`; others
 * are comments.
 */
function readDifferences(file: string): Explained[] {
  return readFileSync(join(import.meta.dirname, "differences", file), "utf8")
    .split("\n")
    .flatMap((line) => {
      const match = /^(only-here|only-there|type|labels|value) (\S+): (.+)$/.exec(line);
      if (match === null) return [];
      const pattern = new RegExp(`^(${match[2]!.replaceAll("*", ".*").replaceAll(",", "|")})$`);
      return [{ what: match[1]!, pattern, line }];
    });
}

const typesOf = ({ text }: Metrics): Map<string, string> =>
  new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));

/** The name in the TYPE line that a sample belongs to. */
function familyOf(types: ReadonlyMap<string, string>, name: string): string {
  const bare = name.replace(/_(bucket|sum|count)$/, "");
  return types.has(name) || !types.has(bare) ? name : bare;
}

const keyOf = ({ name, labels }: Sample): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .sort()
    .join(",")}}`;

export type Comparison = {
  /** Differences that the file does not explain. */
  readonly unexplained: string[];
  /** Lines of the file that explain nothing. */
  readonly stale: string[];
};

/**
 * `before` and `after` are our pages around theirs: a value that moves has to be between. Names that do not match `only`
 * are not looked at: runtimes tell of themselves, too.
 */
export function compare(
  { before, theirs, after }: { before: Metrics; theirs: Metrics; after: Metrics },
  { file, only }: { file: string; only: RegExp },
): Comparison {
  const explained = readDifferences(file);
  const used = new Set<string>();
  const unexplained: string[] = [];
  const tell = (what: string, name: string, detail: string): void => {
    const found = explained.filter((each) => each.what === what && each.pattern.test(name));
    for (const { line } of found) used.add(line);
    if (found.length === 0) unexplained.push(`${what} ${name}: ${detail}`);
  };
  const [ourTypes, theirTypes] = [typesOf(after), typesOf(theirs)];
  const names = new Set([...ourTypes.keys(), ...theirTypes.keys()].filter((name) => only.test(name)));
  const both = new Set<string>();
  for (const name of names) {
    const [ours, other] = [ourTypes.get(name), theirTypes.get(name)];
    if (other === undefined) tell("only-here", name, `${ours}`);
    else if (ours === undefined) tell("only-there", name, other);
    else if (ours !== other) tell("type", name, `${ours} here, ${other} there`);
    if (ours !== undefined && other !== undefined) both.add(name);
  }
  compareSamples({ before, theirs, after }, { both, types: theirTypes, tell });
  // Whether labels and values differ is a matter of the moment; whether names and types do is not.
  const lasting = explained.filter(({ what }) => what !== "labels" && what !== "value");
  return { unexplained, stale: lasting.map(({ line }) => line).filter((line) => !used.has(line)) };
}

type Tell = (what: string, name: string, detail: string) => void;

function compareSamples(
  { before, theirs, after }: { before: Metrics; theirs: Metrics; after: Metrics },
  { both, types, tell }: { both: ReadonlySet<string>; types: ReadonlyMap<string, string>; tell: Tell },
): void {
  const [earlier, later, there] = [before, after, theirs].map(
    (page) => new Map(page.samples.map((sample) => [keyOf(sample), sample])),
  ) as [Map<string, Sample>, Map<string, Sample>, Map<string, Sample>];
  for (const [key, sample] of there) {
    const family = familyOf(types, sample.name);
    if (!both.has(family)) continue;
    const [low, high] = [earlier.get(key), later.get(key)];
    if (high === undefined) tell("labels", family, `${key} is only there`);
    else if (!isBetween(sample.value, low?.value ?? high.value, high.value)) {
      tell("value", family, `${key} is ${low?.value} and ${high.value} here, ${sample.value} there`);
    }
  }
  for (const [key, { name }] of earlier) {
    const family = familyOf(types, name);
    if (both.has(family) && !there.has(key)) tell("labels", family, `${key} is only here`);
  }
}

/** Text has about 17 digits, and programs round them differently. */
function isBetween(value: number, a: number, b: number): boolean {
  if (Number.isNaN(value)) return Number.isNaN(a) && Number.isNaN(b);
  const slack = Math.abs(value) * 1e-9;
  return value >= Math.min(a, b) - slack && value <= Math.max(a, b) + slack;
}
