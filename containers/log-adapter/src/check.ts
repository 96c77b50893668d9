// What cannot be seen from the form of an option alone.
import { fstatSync } from "node:fs";

import type { Provenance } from "@outrigger/runtime";

import { runConfigTests } from "./config-tests.ts";
import { INPUT_FORMS, parseInput } from "./inputs/spec.ts";
import { OUTPUT_FORMS, parseOutput } from "./outputs/spec.ts";
import { load } from "./settings.ts";
import type { Values } from "./settings.ts";
import { isTimeZone } from "./time-zone.ts";

type WrittenAs = Readonly<Record<keyof Values, string>>;

export async function checkValues(
  values: Values,
  writtenAs: WrittenAs,
  provenance: Provenance<Record<keyof Values, never>>,
): Promise<string[]> {
  const problems = [...problemsOfStreams(values, writtenAs)];
  if (provenance.starting && provenance.origins.input === "default" && !hasInput()) {
    problems.push(`${writtenAs.input}: expected an input, or a pipe or a file as standard input, got neither`);
  }
  const loaded = await load(values, writtenAs);
  problems.push(...loaded.problems);
  if (problems.length > 0) return problems;
  return runConfigTests(values.tests ?? [], { values, loaded, writtenAs: writtenAs.tests });
}

/** Whether somebody has connected standard input: neither a terminal nor /dev/null, which Docker gives. */
function hasInput(): boolean {
  try {
    return !fstatSync(0).isCharacterDevice();
  } catch {
    return false;
  }
}

function problemsOfStreams(values: Values, writtenAs: WrittenAs): string[] {
  const { input, output, timezone, resource } = values;
  const problems = [
    ...input
      .filter((spec) => parseInput(spec) === undefined)
      .map((spec) => `${writtenAs.input}: expected ${INPUT_FORMS}, got ${spec}`),
    ...input
      .filter((spec) => spec.startsWith("syslog+tls:") && (!values.inputTlsCert || !values.inputTlsKey))
      .map((spec) => `${writtenAs.input}: expected --input-tls-cert and --input-tls-key with it, got ${spec} alone`),
    ...output
      .filter((spec) => parseOutput(spec) === undefined)
      .map((spec) => `${writtenAs.output}: expected ${OUTPUT_FORMS}, got ${spec}`),
    ...values.outputHeader
      .filter((text) => !/^[\w-]{1,100}: ?[^\r\n\0]+$/.test(text))
      .map((text) => `${writtenAs.outputHeader}: expected Name: value, got ${text}`),
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
