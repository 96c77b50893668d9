// `metrics-adapter explain`: which series a source makes of a sample, and by which rule or field, without asking anybody.
import { text as readText } from "node:stream/consumers";

import { option, text } from "@outrigger/options";
import { defineCommand } from "@outrigger/runtime";

import { entriesOf } from "./configuration.ts";
import { createPage } from "./exposition/page.ts";
import { options } from "./options.ts";
import { describeLabels, describeSeries } from "./routes.ts";
import { createSection } from "./section.ts";
import { sourceKind } from "./sources.ts";

export const explain = defineCommand(options, {
  summary:
    "Reads what an application might answer from standard input, and shows the series of a source, and where each comes from.",
  words: [],
  flags: {
    source: option({
      kind: text("the name of a source"),
      section: "Explain",
      summary: "The source, by its name. Not needed where there is only one.",
    }),
  },
  async run({ options: values, flags, stdio }) {
    const entries = entriesOf(values);
    const wanted = flags.source ?? (entries.length === 1 ? entries[0]!.name : undefined);
    const entry = entries.find(({ name }) => name === wanted);
    if (entry === undefined) {
      throw new Error(
        `--source: expected one of ${entries.map(({ name }) => name).join(", ")}, got ${wanted ?? "nothing"}`,
      );
    }
    const lines: string[] = [];
    const page = createPage(values, (reason, metric, labels) => {
      lines.push(`left out (${reason}): ${metric}${describeLabels(labels)}`);
    });
    const section = createSection(page, Object.entries(entry.labels).flat(), (metric, series, origin) => {
      lines.push(`${describeSeries(metric, series)} <- ${origin}`);
    });
    const sample = await readText(stdio.input());
    const notes = (await sourceKind(entry.type)!.explain?.(entry, sample, section)) ?? [];
    const told = notes.map((note) => `not used: ${note}`);
    stdio.output().write(`${[`# ${entry.name}: ${page.seriesCount} series`, ...lines, ...told].join("\n")}\n`);
    return notes.length === 0;
  },
});
