// The log adapter: takes an application's logs, in whatever format, and gives one structured stream.
import { defineContainer } from "@outrigger/runtime";
import type { Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { checkValues } from "./check.ts";
import { startInputs } from "./inputs.ts";
import { metrics } from "./metrics.ts";
import { createModel } from "./model.ts";
import { options } from "./options.ts";
import { createOutputs } from "./outputs.ts";
import type { PumpSettings } from "./pump.ts";
import { FORMATS } from "./reading.ts";
import type { FormatName } from "./reading.ts";

export type AdapterContext = Context<typeof options, typeof metrics>;

export const container = defineContainer({
  name: "log-adapter",
  version: manifest.version,
  pattern: "adapter",
  summary: manifest.description,
  adminPort: 9913,
  options,
  metrics,

  check: checkValues,

  async start(context) {
    const { options: values, log, finish } = context;
    const inputs = startInputs(context, settingsOf(context));
    log.info({ input: values.input, output: values.output }, "reading");
    // The last input may end while the container is still starting; finish() waits for that.
    inputs.ended.then(finish, (error: Error) => {
      log.error({ error: error.message }, "records cannot be delivered any more");
      finish();
    });
    return {
      drain: inputs.end,
      status: () => ({ input: values.input, output: values.output, model: values.model, timezone: values.timezone }),
    };
  },
});

function settingsOf(context: AdapterContext): PumpSettings {
  const { options: values, metrics } = context;
  const cells = Object.fromEntries(FORMATS.map((format) => [format, metrics.records.cell({ format })])) as Record<
    FormatName,
    ReturnType<typeof metrics.records.cell>
  >;
  return {
    zone: values.timezone,
    now: Date.now,
    model: createModel(values.model, resourceOf(values.resource)),
    keepOriginal: values.keepOriginal,
    maxLine: values.maxLineSize,
    maxRecord: values.maxRecordSize,
    multilineTimeout: values.multilineTimeout,
    countRecord: (format) => cells[format].add(1),
    deliver: createOutputs(context),
  };
}

const resourceOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
