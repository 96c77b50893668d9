// A command of a container: a first word that asks for an answer instead of starting anything, with words and flags of
// its own beside the container's options.
import type { OptionTable } from "./table.ts";

/** The command line of a command. */
export type CommandLine = {
  readonly name: string;
  /** One sentence: what it answers. */
  readonly summary: string;
  /** What each word after its name stands for, in order. All are needed; what begins with a hyphen stands after `--`. */
  readonly words: readonly string[];
  /** Its own flags. They are no variables and no keys of the file: they belong to one question. */
  readonly flags: OptionTable;
};

/** How a command is written: `route <key>`. */
export const commandForm = ({ name, words }: CommandLine): string =>
  [name, ...words.map((word) => `<${word}>`)].join(" ");
