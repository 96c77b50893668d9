// What lines are made into records by: the options, as the core needs them.
import type { ValuesOf } from "@outrigger/options";

import type { Formats } from "./formats-of.ts";
import type { NormalizerSettings } from "./normalizer.ts";
import type { options } from "./options.ts";

export type Values = ValuesOf<typeof options>;

/** What is the same for all lines of an input. */
export type RecordSettings = Omit<NormalizerSettings, "emit" | "dropBlank" | "file">;

export const recordSettingsOf = (values: Values, formats: Formats, input: string): RecordSettings => ({
  ...formats.detectionFor(input),
  zone: values.timezone,
  now: Date.now,
  keepOriginal: values.keepOriginal,
  maxRecord: values.maxRecordSize,
});

/** `name=value`, each. */
export const resourceOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
