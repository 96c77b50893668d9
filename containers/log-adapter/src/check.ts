// What cannot be seen from the form of an option alone.
import { isTimeZone } from "./time-zone.ts";

type Values = {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly timezone: string;
  readonly resource: readonly string[];
};

const FILE = /^file:\/[^\0]+$/;

export async function checkValues(
  values: Values,
  writtenAs: Readonly<Record<keyof Values, string>>,
): Promise<string[]> {
  const { input, output, timezone, resource } = values;
  const problems = [
    ...input
      .filter((spec) => spec !== "stdin" && !FILE.test(spec))
      .map((spec) => `${writtenAs.input}: expected stdin or file:/path, got ${spec}`),
    ...output
      .filter((spec) => spec !== "stdout" && !(FILE.test(spec) && !spec.endsWith("/")))
      .map((spec) => `${writtenAs.output}: expected stdout or file:/path, got ${spec}`),
    ...resource
      .filter((pair) => !/^[^=]+=/.test(pair))
      .map((pair) => `${writtenAs.resource}: expected name=value, got ${pair}`),
  ];
  if (!isTimeZone(timezone))
    problems.push(`${writtenAs.timezone}: expected a time zone such as Europe/Berlin, got ${timezone}`);
  for (const [name, specs] of Object.entries({ input, output }) as ["input" | "output", readonly string[]][]) {
    if (specs.length === 0) problems.push(`${writtenAs[name]}: expected at least one, got none`);
    const twice = specs.find((spec, i) => specs.indexOf(spec) !== i);
    if (twice !== undefined) problems.push(`${writtenAs[name]}: expected each only once, got ${twice} twice`);
  }
  return problems;
}
