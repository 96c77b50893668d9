// Runs a command of the operator's: without a shell, within a time, with only the end of what it says kept.
import { spawn } from "node:child_process";

export type CommandSettings = {
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly input?: string;
};

const MAX_OUTPUT = 4096;

/** Resolves with what it wrote when it exits with 0; else throws an error that says how it ended and what it said. */
export async function runCommand(words: readonly string[], settings: CommandSettings): Promise<string> {
  const { cwd, env, timeoutMs, input } = settings;
  const [program = "", ...args] = words;
  // A process group of its own, so that what it has started ends with it.
  const child = spawn(program, args, {
    cwd,
    env,
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-MAX_OUTPUT));
  child.stdout!.on("data", keep);
  child.stderr!.on("data", keep);
  child.stdin?.on("error", () => undefined).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    child.stdout!.destroy();
    child.stderr!.destroy();
    reject(new Error(`${program}: expected it to end within ${timeoutMs} ms, got no end`));
  }, timeoutMs);
  child.once("error", (error) =>
    reject(new Error(`${program}: expected a program that can be run, got ${error.message}`)),
  );
  child.once("close", (code, signal) => {
    const said = output.trim() === "" ? "" : `: ${output.trim()}`;
    if (code === 0) resolve(output);
    else reject(new Error(`${program}: expected exit status 0, got ${signal ?? code}${said}`));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
