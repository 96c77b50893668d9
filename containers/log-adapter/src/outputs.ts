// All outputs as one: each text is taken by all of them, and texts come one after the other, whole.
import type { AdapterContext } from "./container.ts";
import { createOutput } from "./output.ts";

/** Gives a function that resolves when all outputs have taken a text. */
export function createOutputs(context: AdapterContext): (text: string) => Promise<void> {
  const { options, metrics, log, readiness, stdio, onStop } = context;
  const written = metrics.bytes.cell({});
  const outputs = options.output.map((spec) => {
    const output = createOutput(spec, {
      log,
      readiness,
      stdout: stdio.output,
      countError: () => metrics.outputErrors.inc({}),
    });
    onStop(`output ${spec}`, output.close);
    return output;
  });
  let last: Promise<void> = Promise.resolve();
  return (text) => {
    const next = last.then(async () => {
      await Promise.all(outputs.map((output) => output.write(text)));
      written.add(Buffer.byteLength(text));
    });
    // A failure is its own writer's to hear of.
    last = next.catch(() => undefined);
    return next;
  };
}
