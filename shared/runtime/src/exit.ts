// Exit statuses, the same for every container.

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
} as const;

/** What each status tells whoever started the container. */
const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "Stopped as asked, with everything in flight finished; or what was asked for (`--help`, `--check-config`, `healthcheck` ...) went well.",
  failed:
    "Could not start or go on, or had to stop before everything in flight was finished (`--shutdown-timeout`, a second signal); `healthcheck`: not ready.",
  usage:
    "The options, or a file that they name, are not usable. Each problem is a line on stderr, and nothing was started.",
};

/** The table of exit codes of a README. */
export function exitCodesMarkdown(): string {
  const rows = Object.entries(EXIT).map(([name, status]) => `| ${status} | ${MEANINGS[name as keyof typeof EXIT]} |`);
  return ["| exit code | meaning |", "|---|---|", ...rows].join("\n");
}
