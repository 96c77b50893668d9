// `log-adapter explain`: what each line was taken for, and why.
import { defineCommand } from "@outrigger/runtime";
import { createLineCutter } from "@outrigger/tailing";

import { formatsFor } from "./detect.ts";
import type { DetectionSettings } from "./detect.ts";
import type { Formats } from "./formats-of.ts";
import { unwrap } from "./formats/wrapper.ts";
import { createModel } from "./model.ts";
import { createNormalizer } from "./normalizer.ts";
import { options } from "./options.ts";
import { createReading, resetReading } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { load } from "./settings.ts";
import type { Loaded, Values } from "./settings.ts";
import { createTimeReader } from "./timestamp.ts";
import type { TimeReader } from "./timestamp.ts";

export type Considered = { readonly format: string; readonly score: number };

/**
 * How much a format tells of a line, from 0, where it does not fit, to 100: a time is 40, a severity 30, and what else it
 * has found in it up to 30.
 */
function scoreOf(reading: Reading, line: string): number {
  const found = reading.attributes.length / 2 + (reading.body.length < line.length ? 1 : 0);
  return 10 + (Number.isNaN(reading.ms) ? 0 : 40) + (reading.severityNumber > 0 ? 30 : 0) + Math.min(20, found * 4);
}

/** The formats that were tried for a line, in their order: the first that fits is taken. */
export function considerLine(
  line: string,
  { detection, formats, times }: { detection: DetectionSettings; formats: Formats; times: TimeReader },
): Considered[] {
  const reading = createReading();
  return formatsFor(line, detection).map((format) => {
    times.begin();
    resetReading(reading, line);
    const fits = format(line, reading, times);
    return { format: formats.nameOf(format), score: fits ? scoreOf(reading, line) : 0 };
  });
}

export const explain = defineCommand(options, {
  summary: "Reads lines, and shows for each which formats were considered with which score, and the record.",
  words: [],
  flags: {},
  async run({ options: values, stdio }) {
    const loaded = await load(values);
    const write = (text: string): void => void stdio.output().write(text);
    const explainer = createExplainer(values, loaded, write);
    for await (const bytes of stdio.input() as AsyncIterable<Buffer>) explainer.push(bytes);
    explainer.end();
    return true;
  },
});

/** Writes one JSON object for each record: the lines it was made of, what was considered for the first, and itself. */
function createExplainer(values: Values, { formats, resource, settingsFor }: Loaded, write: (text: string) => void) {
  const input = values.input[0] ?? "stdin";
  const settings = settingsFor(input);
  const times = createTimeReader(settings);
  const detection = formats.detectionFor(input);
  const model = createModel(values.model, resource);
  const lines: string[] = [];
  const normalizer = createNormalizer({
    ...settings,
    file: "",
    drop: (count, reason) => {
      const dropped = lines.splice(0, count);
      if (reason !== "blank") write(`${JSON.stringify({ lines: dropped, dropped: reason })}\n`);
    },
    emit: (reading, circumstances, count) => {
      const text = model(reading, circumstances);
      const own = lines.splice(0, count);
      const first = unwrap(own[0] ?? "")?.text ?? own[0] ?? "";
      const considered = considerLine(first, { detection, formats, times });
      write(`${JSON.stringify({ lines: own, considered, record: JSON.parse(text) as unknown })}\n`);
    },
  });
  const cutter = createLineCutter(values.maxLineSize, (line, start, _, flags) => {
    lines.push(line);
    normalizer.push(line, start, flags);
  });
  return {
    push: cutter.push,
    end: () => {
      cutter.end();
      normalizer.flush();
    },
  };
}
