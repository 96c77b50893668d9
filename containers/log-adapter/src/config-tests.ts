// Tests in the configuration: lines, and what has to be in their records. --check-config runs them, and so does every start.
import { isDeepStrictEqual } from "node:util";

import * as z from "@outrigger/options/zod";

import { createModel } from "./model.ts";
import { createNormalizer } from "./normalizer.ts";
import type { NormalizerSettings } from "./normalizer.ts";
import type { Loaded, Values } from "./settings.ts";

export const configTest = z.strictObject({
  name: z.string().min(1),
  input: z.string().optional().describe("The input whose format is meant; the first one by default."),
  lines: z.array(z.string()).or(z.string()).describe("The lines, as a list or as one text."),
  expect: z.array(z.record(z.string(), z.unknown())).describe("The records: each has at least these values."),
});
export type ConfigTest = z.infer<typeof configTest>;

/** Problems of the form `<as written>: expected ..., got ...`; none where every record is as expected. */
export function runConfigTests(
  tests: readonly ConfigTest[],
  { values, loaded, writtenAs }: { values: Values; loaded: Loaded; writtenAs: string },
): string[] {
  return tests.flatMap((test) => {
    const records = recordsOf(test, values, loaded);
    const written = `${writtenAs}: ${test.name}`;
    if (records.length !== test.expect.length) {
      return [`${written}: expected ${test.expect.length} records, got ${records.length}`];
    }
    return test.expect.flatMap((expected, i) => differencesIn(expected, records[i]!, `${written}: record ${i + 1}: `));
  });
}

function recordsOf({ input, lines }: ConfigTest, values: Values, { resource, settingsFor }: Loaded): unknown[] {
  const records: unknown[] = [];
  const settings = settingsFor(input ?? values.input[0]!);
  const model = createModel(values.model, resource);
  const emit: NormalizerSettings["emit"] = (reading, circumstances) =>
    void records.push(JSON.parse(model(reading, circumstances)));
  const normalizer = createNormalizer({ ...settings, file: "", emit, drop: () => undefined });
  const all = typeof lines === "string" ? lines.replace(/\n$/, "").split("\n") : lines;
  for (const line of all) normalizer.push(line, 0, []);
  normalizer.flush();
  return records;
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Objects are compared by what is expected in them, everything else as a whole. */
function differencesIn(expected: Fields, actual: unknown, path: string): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const found = isObject(actual) ? actual[name] : undefined;
    if (isObject(value) && isObject(found)) return differencesIn(value, found, `${path}${name}.`);
    return isDeepStrictEqual(value, found) ? [] : [`${path}${name}: expected ${shown(value)}, got ${shown(found)}`];
  });
}

const shown = (value: unknown): string => JSON.stringify(value) ?? "nothing";
