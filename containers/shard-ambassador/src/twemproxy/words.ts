// nutcracker's own command line, for those who swap the image. What has no meaning here stays as it is, so that it is
// refused by its name and not passed over.
import type { CommandWords } from "@outrigger/runtime";

/** Its short and long options that take a value, as one of our flags. */
const WITH_VALUE: Readonly<Record<string, (value: string) => string>> = {
  c: (value) => `--config=${value}`,
  v: (value) => `--log-level=${levelOf(Number(value))}`,
};
const LONG: Readonly<Record<string, string>> = {
  "--conf-file": "-c",
  "--verbose": "-v",
  "--stats-port": "-s",
  "--stats-addr": "-a",
  "--test-conf": "-t",
};

/** Its levels go from 0, emergencies, to 11, everything; 5 is its own default. */
function levelOf(verbosity: number): string {
  if (verbosity <= 3) return "error";
  if (verbosity === 4) return "warn";
  return verbosity <= 7 ? "info" : "debug";
}

/** Our words for nutcracker's, which name its file by `-c`; the same words when they are ours already. */
export function translate(words: CommandWords): CommandWords {
  const theirs = words.argv.flatMap(spread);
  if (!theirs.includes("-c")) return words;
  const argv: string[] = [];
  const statistics = { host: "127.0.0.1", port: "22222" };
  for (let i = 0; i < theirs.length; i++) {
    const word = theirs[i]!;
    const value = theirs[i + 1] ?? "";
    const known = WITH_VALUE[word.slice(1)];
    if (word === "-t") argv.push("--check-config");
    else if (word === "-s") statistics.port = value;
    else if (word === "-a") statistics.host = value;
    else argv.push(known === undefined ? word : known(value));
    if (word === "-s" || word === "-a" || known !== undefined) i++;
  }
  return { argv: [...argv, `--stats-listen=${statistics.host}:${statistics.port}`], env: words.env };
}

/** `--stats-port=22222` and `-s22222` as `-s 22222`. */
function spread(word: string): string[] {
  const [, name = "", value] = /^(--[a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
  const short = LONG[name];
  if (short !== undefined) return value === undefined ? [short] : [short, value];
  const [, letter, joined] = /^-([csav])(.+)$/.exec(word) ?? [];
  return letter === undefined ? [word] : [`-${letter}`, joined!];
}
