// The settings of one source, written behind its `#`: `name=value&name=value`, which no server ever sees.
import { problem, value } from "../written.ts";
import type { Parsed } from "../written.ts";

/** The settings of a text, decoded; only these names are known. */
export function parseSettings<const N extends string>(
  text: string,
  names: readonly N[],
): Parsed<Readonly<Partial<Record<N, string>>>> {
  const settings: Partial<Record<N, string>> = {};
  for (const [name, given] of new URLSearchParams(text)) {
    const known = names.find((known) => known === name);
    if (known === undefined) return problem(`settings among ${names.join(", ")}`, name);
    settings[known] = given;
  }
  return value(settings);
}
