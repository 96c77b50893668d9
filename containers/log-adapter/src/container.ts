// The log adapter: takes an application's logs, in whatever format, and gives one structured stream.
import { defineContainer } from "@outrigger/runtime";
import type { Cell, Context } from "@outrigger/runtime";

import manifest from "../package.json" with { type: "json" };
import { checkValues } from "./check.ts";
import { explain } from "./explain.ts";
import { startInputs } from "./inputs.ts";
import type { SettingsOf } from "./inputs.ts";
import { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import { createOutputs } from "./outputs.ts";
import type { Outputs } from "./outputs.ts";
import { FORMATS } from "./reading.ts";
import { load } from "./settings.ts";

export type AdapterContext = Context<typeof options, typeof metrics>;

export const container = defineContainer({
  name: "log-adapter",
  version: manifest.version,
  pattern: "adapter",
  summary: manifest.description,
  adminPort: 9913,
  options,
  metrics,
  commands: { explain },

  check: checkValues,

  async start(context) {
    const { options: values, log, finish } = context;
    const { settingsOf, outputs } = await prepare(context);
    const inputs = startInputs(context, settingsOf);
    log.info({ input: values.input, output: values.output }, "reading");
    // The last input may end while the container is still starting; finish() waits for that.
    inputs.ended.then(outputs.leftDelivered).then(finish, (error: Error) => {
      log.error({ error: error.message }, "records cannot be delivered any more");
      finish();
    });
    return {
      drain: inputs.end,
      status: () => ({ input: values.input, output: values.output, model: values.model, timezone: values.timezone }),
    };
  },
});

type Prepared = { readonly settingsOf: SettingsOf; readonly outputs: Outputs };

async function prepare({ options: values, metrics, log, ...context }: AdapterContext): Promise<Prepared> {
  const { formats, resource, settingsFor } = await load(values);
  for (const skipped of formats.skipped) log.warn(skipped, "imported format not usable");
  const cells = new Map<string, Cell>(FORMATS.map((format) => [format, metrics.records.cell({ format })]));
  const outputs = await createOutputs({ options: values, metrics, log, ...context }, resource);
  const settingsOf: SettingsOf = (input) => ({
    ...settingsFor(input),
    charset: values.charset,
    maxLine: values.maxLineSize,
    multilineTimeout: values.multilineTimeout,
    countRecord: (format) => (cells.get(format) ?? cells.get("own")!).add(1),
    outputs,
  });
  return { settingsOf, outputs };
}
