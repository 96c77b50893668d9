// The demo for a person: everything started and explained, then its lines as they come, until a key or a signal ends it.
import { CTRL_C, listenToKeys } from "./keys.ts";
import type { Key, Part, Runtime } from "./part.ts";
import type { RunningPod, Show } from "./pod.ts";
import { DEMO, labelsOf, startPod } from "./pod.ts";
import { describeExit } from "./process.ts";
import { createLines, paintFor, welcomeText } from "./screen.ts";
import { endAtOnce } from "./signals.ts";

export type LiveSettings = {
  readonly parts: readonly Part[];
  readonly runtime: Runtime;
  readonly freePorts: boolean;
  /** Ends it in order. */
  readonly interrupted: AbortSignal;
};

const HELP = { key: "h", what: "show all this again" };
const QUIT = { key: "q", what: "end, as Ctrl-C does" };

/** Gives the status to exit with. */
export async function runLive(settings: LiveSettings): Promise<number> {
  const { interrupted, parts } = settings;
  const write = (text: string): void => void process.stdout.write(text);
  const paint = paintFor(process.stdout, process.env);
  // What is said while all starts is shown below the text that explains it.
  const held: Parameters<Show>[] = [];
  let show: Show = (...line) => void held.push(line);
  const pod = await startPod({ ...settings, show: (...line) => show(...line) });
  try {
    const keys = process.stdin.isTTY ? keysOf(pod, (text) => show(DEMO, text)) : [];
    const shownKeys = keys.length === 0 ? [] : [...keys, HELP, QUIT];
    const summaries = parts.map(({ summary }) => summary);
    const welcome = welcomeText({ pod, summaries, keys: shownKeys }, paint);
    write(welcome);
    show = createLines(write, paint, labelsOf(pod));
    for (const line of held) show(...line);

    const ended = Promise.withResolvers<string>();
    const stopKeys = pressing(keys, { end: ended.resolve, help: () => write(welcome), show });
    interrupted.addEventListener("abort", () => ended.resolve((interrupted.reason as Error).message));
    for (const { label, exited } of pod.processes) {
      void exited.then((exit) => ended.resolve(`${label} has ended by itself (${describeExit(exit)})`));
    }
    show(DEMO, `${await ended.promise}: ending, once what is in flight is finished`);
    stopKeys();
    // After a key a signal is the second wish to end.
    interrupted.addEventListener("abort", endAtOnce);
    return await endPod(pod, show);
  } finally {
    await pod.remove();
  }
}

function keysOf({ application, parts }: RunningPod, say: (text: string) => void): Key[] {
  const toggle = async (): Promise<void> => {
    if (application.isRunning()) {
      await application.kill();
      say("killed the dictionary: requests get 502, and /readyz is 503, until k starts it again");
      return;
    }
    await application.start();
    say("started the dictionary again");
  };
  return [
    ...parts.flatMap(({ keys }) => keys),
    { key: "k", what: "kill the dictionary, and start it again: watch /readyz turn", press: toggle },
  ];
}

type Pressing = { readonly end: (why: string) => void; readonly help: () => void; readonly show: Show };

/** Does what the keys say, one at a time: while one is at work the others are not listened to. */
function pressing(keys: readonly Key[], { end, help, show }: Pressing): () => void {
  let busy = false;
  const work = async ({ press }: Key): Promise<void> => {
    busy = true;
    await press().catch((error: Error) => show(DEMO, error.message));
    busy = false;
  };
  return listenToKeys((pressed) => {
    const key = keys.find(({ key }) => key === pressed);
    if (pressed === CTRL_C) end("Ctrl-C");
    else if (pressed === QUIT.key) end(QUIT.key);
    else if (pressed === HELP.key) help();
    else if (key !== undefined && !busy) void work(key);
  });
}

async function endPod(pod: RunningPod, show: Show): Promise<number> {
  const crashed = pod.processes.some(({ isRunning }) => !isRunning());
  const endings = await pod.stop();
  for (const { who, exit } of endings) show(DEMO, `${who} ended: ${describeExit(exit)}`);
  await pod.remove();
  show(DEMO, `${pod.folder} removed`);
  return !crashed && endings.every(({ exit }) => exit.code === 0) ? 0 : 1;
}
