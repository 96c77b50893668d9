// Encodes a page in slices: after a few milliseconds others get their turn, however many series there are.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Family } from "./model.ts";
import { escapeLabelName, escapeMetricName } from "./names.ts";
import type { Format } from "./negotiate.ts";
import type { ReportLeftOut } from "./page.ts";
import { createPage } from "./page.ts";
import { encodeLength } from "./protobuf-writer.ts";
import { encodeFamilyHead, encodeSeries } from "./protobuf.ts";
import { createFamilyWriter } from "./text.ts";

/** How long one slice may take. A series takes a few microseconds, so the clock is looked at now and then. */
const SLICE_MS = 5;
const SERIES_PER_LOOK = 64;
/** What is written at a time. */
const CHUNK = 64 * 1024;

/** Gives other work its turn when the slice is over. */
function createSlices(): () => Promise<unknown> | undefined {
  let began = performance.now();
  return () => {
    if (performance.now() - began < SLICE_MS) return undefined;
    return nextTurn().then(() => (began = performance.now()));
  };
}

/** The bytes of a page. What cannot be on it because escaping makes it the same as another is told to `report`. */
export async function* encodePage(
  families: readonly Family[],
  format: Format,
  report: ReportLeftOut = () => {},
): AsyncGenerator<Buffer> {
  const written = needsEscaping(families, format) ? await escapePage(families, format, report) : families;
  if (format.syntax === "protobuf") yield* encodeProtobuf(written);
  else yield* encodeText(written, format);
}

function needsEscaping(families: readonly Family[], { escaping }: Format): boolean {
  return escaping === "dots" || (escaping !== "allow-utf-8" && families.some(({ legacy }) => !legacy));
}

/** The same page with other names. It is built by the rules of any page, since what differed may now be the same. */
async function escapePage(
  families: readonly Family[],
  { escaping }: Format,
  report: ReportLeftOut,
): Promise<readonly Family[]> {
  const page = createPage({ maxSeriesPerMetric: Infinity, maxSeries: Infinity, maxLabelValue: Infinity }, report);
  const pause = createSlices();
  for (const { name, series, ...declaration } of families) {
    const family = page.family({ ...declaration, name: escapeMetricName(name, escaping) });
    for (const each of series) {
      const labels = each.labels.map((text, at) => (at % 2 === 0 ? escapeLabelName(text, escaping) : text));
      family.add({ ...each, labels });
      await pause();
    }
  }
  return page.families();
}

async function* encodeText(families: readonly Family[], format: Format): AsyncGenerator<Buffer> {
  const taken = new Set(families.map(({ name }) => name));
  const pause = createSlices();
  let text = "";
  let untilLook = SERIES_PER_LOOK;
  for (const family of families) {
    const writer = createFamilyWriter(family, format, taken);
    text += writer.head;
    for (let at = 0; at < family.series.length; at++) {
      text += writer.write(family.series[at]!, family.texts[at]!);
      if (--untilLook > 0) continue;
      untilLook = SERIES_PER_LOOK;
      if (text.length >= CHUNK) {
        yield Buffer.from(text);
        text = "";
      }
      const turn = pause();
      if (turn !== undefined) await turn;
    }
  }
  yield Buffer.from(format.syntax === "openmetrics" ? `${text}# EOF\n` : text);
}

/** A family's length stands before it, so a family is encoded as a whole before it is written. */
async function* encodeProtobuf(families: readonly Family[]): AsyncGenerator<Buffer> {
  const pause = createSlices();
  for (const family of families) {
    const parts = [encodeFamilyHead(family)];
    let length = parts[0]!.length;
    for (const [at, series] of family.series.entries()) {
      const part = encodeSeries(family, series);
      parts.push(part);
      length += part.length;
      const turn = at % SERIES_PER_LOOK === 0 ? pause() : undefined;
      if (turn !== undefined) await turn;
    }
    yield encodeLength(length);
    for (let at = 0; at < parts.length; at += SERIES_PER_LOOK * 16)
      yield Buffer.concat(parts.slice(at, at + SERIES_PER_LOOK * 16));
  }
}
