// A small container that tests start, in this process or as one of its own.
import { boolean, duration, option, path } from "@outrigger/options";
import type { ValuesOf } from "@outrigger/options";

import type { CommonOptions, ContainerDefinition } from "../src/index.ts";
import { counter, defineCommand, defineContainer } from "../src/index.ts";

const options = {
  drainTime: option({
    kind: duration(),
    default: "0",
    section: "Demonstration",
    summary: "How long its work takes to finish.",
  }),
  startTime: option({
    kind: duration(),
    default: "0",
    section: "Demonstration",
    summary: "How long it takes to start.",
  }),
  source: option({ kind: path(), section: "Demonstration", summary: "A file that must not be named `bad`." }),
  failing: option({ kind: boolean(), default: "false", section: "Demonstration", summary: "Fail to start." }),
};

const metrics = { turns: counter("demo_turns_total", "Turns of its loop.") };

const greet = defineCommand(options, {
  summary: "Greets somebody.",
  words: ["name"],
  flags: {
    politely: option({ kind: boolean(), default: "false", section: "Greeting", summary: "With a bow." }),
  },
  async run({ options: { source }, flags: { politely }, words: [name], stdio }) {
    if (name === "nobody") throw new Error("expected somebody, got nobody");
    stdio.output().write(`${politely ? "dear" : "hello"} ${name} from ${source ?? "nowhere"}\n`);
    return name !== "stranger";
  },
});

export type DemoValues = ValuesOf<typeof options & CommonOptions>;
export type Demo = ContainerDefinition<typeof options, typeof metrics>;

const after = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

export const demo: Demo = defineContainer({
  name: "demo",
  version: "1.2.3",
  pattern: "sidecar",
  summary: "A demonstration",
  adminPort: 9999,
  options,
  metrics,
  commands: { greet },

  check: async ({ source }, writtenAs) =>
    source === "bad" ? [`${writtenAs.source}: expected another name, got bad`] : [],

  async start({ options: values, metrics: { turns }, onStop, heartbeat, log, reread }) {
    const beat = heartbeat("loop", 10);
    const timer = setInterval(() => {
      beat();
      turns.inc({});
    }, 10);
    onStop("loop", () => clearInterval(timer));
    log.info("loop runs");
    await after(values.startTime);
    if (values.failing) throw new Error("--failing: expected false, got true");
    return {
      drain: () => after(values.drainTime),
      reload: async () => {
        const { problems } = await reread();
        return problems.length > 0 ? { outcome: "refused", reasons: problems } : { outcome: "applied" };
      },
      status: () => ({ source: values.source ?? null }),
    };
  },
});
