// What lines are made into records by: the options, as the core needs them.
import type { ValuesOf } from "@outrigger/options";

import type { Formats } from "./formats-of.ts";
import { loadFormats } from "./formats-of.ts";
import type { NormalizerSettings } from "./normalizer.ts";
import type { options } from "./options.ts";
import { createRedaction } from "./processing/redaction.ts";
import { createRules } from "./processing/rules.ts";
import { loadResource } from "./resource.ts";
import type { Resource } from "./resource.ts";

export type Values = ValuesOf<typeof options>;

/** What is the same for all lines of an input. */
export type RecordSettings = Omit<NormalizerSettings, "emit" | "drop" | "file">;

/** What has been read of files, and compiled. */
export type Loaded = {
  readonly formats: Formats;
  readonly resource: Resource;
  readonly settingsFor: (input: string) => RecordSettings;
  /** What cannot be used, as `<as written>: expected ..., got ...`. */
  readonly problems: readonly string[];
};

type WrittenAs = Readonly<Record<keyof Values, string>>;

/** Names of options where nobody has written them otherwise. */
const BY_FLAG = new Proxy({} as WrittenAs, {
  get: (_, name) => `--${String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
});

export async function load(values: Values, writtenAs: WrittenAs = BY_FLAG): Promise<Loaded> {
  const formats = await loadFormats(values, writtenAs);
  const problems = [...formats.problems];
  const resource = await loadResource(values.resource, values.resourceFile).catch((error: Error) => {
    problems.push(`${writtenAs.resourceFile}: ${error.message}`);
    return {};
  });
  const attempt = (name: keyof Values, make: () => unknown): void => {
    try {
      make();
    } catch (error) {
      problems.push(`${writtenAs[name]}: ${(error as Error).message}`);
    }
  };
  const { redact, redactions = [], rules = [] } = values;
  attempt("redactions", () => createRedaction(redact, redactions));
  attempt("rules", () => createRules(rules, Date.now));
  return {
    formats,
    resource,
    problems,
    settingsFor: (input) => {
      const redactRecord = createRedaction(redact, redactions);
      const judge = createRules(rules, Date.now);
      return {
        ...formats.detectionFor(input),
        zone: values.timezone,
        now: Date.now,
        keepOriginal: values.keepOriginal,
        maxRecord: values.maxRecordSize,
        process: (reading) => {
          const verdict = judge(reading);
          if (verdict === "pass") redactRecord(reading);
          return verdict;
        },
      };
    },
  };
}
