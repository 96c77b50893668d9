// Running the repository's own tools, in its root, with their output going where ours goes.
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const bin = join(root, "node_modules", ".bin");

/** Runs a program of `node_modules/.bin` (or of PATH) to its end and gives its exit status: 1 if a signal ended it. */
export function runTool(command: string, args: readonly string[]): Promise<number> {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
  const child = spawn(command, args, { cwd: root, env, stdio: "inherit" });
  const onTerminate = (): void => void child.kill("SIGTERM");
  // Ctrl-C reaches the tool as well: it decides when to end, and we end with it.
  const onInterrupt = (): void => {};
  process.on("SIGTERM", onTerminate).on("SIGINT", onInterrupt);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGTERM", onTerminate).off("SIGINT", onInterrupt));
}
