// What `npm run demo` runs: a pod on this machine, for a person to look at; or, with --check, all that it shows, checked.
import { parseArgs } from "node:util";

import { runChecks } from "../test/demo/checking.ts";
import { runLive } from "../test/demo/live.ts";
import type { Runtime } from "../test/demo/part.ts";
import { loadParts } from "../test/demo/parts.ts";
import { endAtOnce, handleSignals } from "../test/demo/signals.ts";

const USAGE = `Usage: npm run demo [-- options]

Starts a pod on loopback: an old application that only speaks plain HTTP, with Outrigger's containers beside it.
Prints what listens where and what to try, then shows live what each of them says. Ctrl-C ends it, and leaves nothing.

  --runtime node|bun   what the containers run on [default: node; with --check: one after the other]
  --free-ports         use free ports instead of the usual ones (a port that is taken is replaced anyway)
  --check              without a person: use every part on free ports, print a line for each thing checked, exit 0 or 1
  --help               show this`;

const OPTIONS = {
  runtime: { type: "string" },
  "free-ports": { type: "boolean", default: false },
  check: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const RUNTIMES: readonly Runtime[] = ["node", "bun"];

type Arguments = { runtime: Runtime | undefined; freePorts: boolean; check: boolean; help: boolean };

function readArguments(): Arguments {
  const { values } = parseArgs({ options: OPTIONS });
  const runtime = RUNTIMES.find((name) => name === values.runtime);
  if (values.runtime !== undefined && runtime === undefined) {
    throw new Error(`--runtime: expected ${RUNTIMES.join(" or ")}, got ${values.runtime}`);
  }
  return { runtime, freePorts: values["free-ports"], check: values.check, help: values.help };
}

/** The arguments; wrong ones end the program with status 2. */
function argumentsOrExit(): Arguments {
  try {
    return readArguments();
  } catch (error) {
    console.error(`demo: ${(error as Error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

async function check(runtimes: readonly Runtime[], interrupted: AbortSignal): Promise<number> {
  const parts = await loadParts();
  let failed = 0;
  for (const runtime of runtimes) {
    failed += await runChecks({ parts, runtime, interrupted, write: (text) => void process.stdout.write(text) });
  }
  console.log(failed === 0 ? "all is well" : `${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function run({ runtime, freePorts, check: checking, help }: Arguments): Promise<number> {
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const interrupted = handleSignals();
  // The reader has gone away.
  process.stdout.on("error", endAtOnce);
  if (checking) return check(runtime === undefined ? RUNTIMES : [runtime], interrupted);
  return runLive({ parts: await loadParts(), runtime: runtime ?? "node", freePorts, interrupted });
}

const given = argumentsOrExit();
try {
  process.exitCode = await run(given);
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
}
