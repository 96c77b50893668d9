// What `npm run check` runs: everything that has to be in order before a commit. All of the steps run, even if one has
// failed. `--no-tests` leaves out the tests.
import { parseArgs } from "node:util";

import { runTool } from "./tools.ts";

type Step = { readonly name: string; readonly command: readonly [string, ...string[]] };

const TESTS: Step = { name: "tests", command: ["node", "scripts/test.ts"] };

const STEPS: readonly Step[] = [
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "lint", command: ["oxlint", "--deny-warnings", "."] },
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "generated files", command: ["node", "scripts/generate.ts", "--check"] },
];

const { values } = parseArgs({ options: { tests: { type: "boolean", default: true } }, allowNegative: true });
const results: { name: string; ok: boolean; seconds: string }[] = [];
for (const { name, command } of values.tests ? [...STEPS, TESTS] : STEPS) {
  console.log(`\n== ${name}: ${command.join(" ")}`);
  const began = performance.now();
  const [program, ...args] = command;
  const status = await runTool(program, args);
  results.push({ name, ok: status === 0, seconds: ((performance.now() - began) / 1000).toFixed(1) });
}
console.log("\n== summary");
for (const { name, ok, seconds } of results) console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
