// How the demo looks: the text that a newcomer reads first, and the lines that follow live.
import { styleText } from "node:util";

import type { Key } from "./part.ts";
import { DEMO } from "./pod.ts";
import type { RunningPod, Show } from "./pod.ts";

type Style = Parameters<typeof styleText>[0];
/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Colour is for terminals alone, and for those who did not ask for none (no-color.org). */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const coloured = stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return coloured ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

const TEXT_STYLES: Readonly<Record<string, Style>> = { debug: "dim", warn: "yellow", error: "red", fatal: "red" };
const LABEL_STYLES = ["cyan", "magenta", "green", "blue"] as const;

/** Writes lines as `who | text`: the labels are a column, and each has a colour of its own. */
export function createLines(write: (text: string) => void, paint: Paint, labels: readonly string[]): Show {
  const width = Math.max(...labels.map(({ length }) => length));
  const others = labels.filter((label) => label !== DEMO);
  const styleOf = (who: string): Style =>
    who === DEMO ? "bold" : LABEL_STYLES[others.indexOf(who) % LABEL_STYLES.length]!;
  return (who, text, level = "info") => {
    const style = who === DEMO ? "bold" : TEXT_STYLES[level];
    const said = style === undefined ? text : paint(style, text);
    write(`${paint(styleOf(who), who.padEnd(width))} ${paint("dim", "|")} ${said}\n`);
  };
}

/** Rows with their columns aligned; the last column is as long as it likes. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("   ")}`.trimEnd());
}

export type Welcome = {
  readonly pod: RunningPod;
  readonly summaries: readonly string[];
  /** What can be pressed; none without a terminal to press them on. */
  readonly keys: readonly Pick<Key, "key" | "what">[];
};

/** What there is, where, and what to try: read once from top to bottom. */
export function welcomeText({ pod, summaries, keys }: Welcome, paint: Paint): string {
  const heading = (text: string): string => `\n  ${paint("bold", text)}`;
  const taken = `taken, so that free ones are used: ${pod.takenPorts.join(", ")}`;
  const listeners = [
    [pod.application.label, `http://${pod.application.address}`, "the application: plain HTTP only"],
    ...pod.parts.flatMap(({ listeners }) => listeners.map(({ who, url, what }) => [who, url, what])),
  ];
  const files = pod.parts.flatMap(({ files }) => files.map(({ names, what }) => [names, what]));
  const tries = pod.parts.flatMap(({ tries }) => tries);
  return [
    "",
    `  ${paint("bold", "Outrigger")}: a pod on this machine, its containers on ${pod.runtime}`,
    "",
    "  A pod is an application with small containers beside it, such as a sidecar.",
    ...summaries.map((summary) => `  Here ${summary}.`),
    heading("Listening"),
    ...aligned(listeners),
    ...(pod.takenPorts.length === 0 ? [] : [`    ${paint("yellow", taken)}`]),
    heading(`Files in ${pod.folder}`),
    ...aligned([["ca.crt", "the authority for clients to trust"], ...files]),
    heading("Try in another terminal"),
    ...tries.flatMap(({ what, command }) => [
      ...(what === "" ? [] : [`    ${paint("dim", what)}`]),
      `      ${command}`,
    ]),
    heading("Keys"),
    ...(keys.length === 0
      ? ["    none, as this is no terminal: SIGINT or SIGTERM ends the demo"]
      : aligned(keys.map(({ key, what }) => [key, what]))),
    "",
    `  ${paint("bold", "Live")}: what each of them says`,
    "",
    "",
  ].join("\n");
}
