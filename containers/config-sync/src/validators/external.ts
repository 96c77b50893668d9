// Validators of the operator's own: a command or an HTTP service, which look at the staged folder before anybody else does.
import { runCommand } from "../command.ts";
import type { Environment } from "../deps.ts";
import { fetchUrl, shownUrl } from "../http.ts";
import { firstLineOf } from "./validator.ts";
import type { Candidate, Validator } from "./validator.ts";

/** Runs in the staged folder, which the variable CONFIG_SYNC_FOLDER names, too; passes by exit status 0. */
export const createCommandValidator = (
  words: readonly string[],
  { env, timeoutMs }: { env: Environment; timeoutMs: number },
): Validator => ({
  name: `exec:${words[0]}`,
  check: async ({ job, revision, folder }) => {
    const variables = { CONFIG_SYNC_JOB: job, CONFIG_SYNC_REVISION: revision, CONFIG_SYNC_FOLDER: folder };
    try {
      await runCommand(words, { cwd: folder, env: { ...env, ...variables }, timeoutMs });
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  },
});

const MAX_ANSWER_BYTES = 64 * 1024;

/** Gets a POST that names the staged folder; passes by a status of 2xx. What else is answered is the reason. */
export const createHttpValidator = (url: URL, timeoutMs: number): Validator => ({
  name: shownUrl(url),
  check: async (candidate) => {
    try {
      const headers = { "content-type": "application/json" };
      const body = bodyOf(candidate);
      const answer = await fetchUrl(url, { method: "POST", headers, body, timeoutMs, maxBytes: MAX_ANSWER_BYTES });
      if (answer.status >= 200 && answer.status < 300) return [];
      return [
        `${shownUrl(url)}: expected 2xx, got ${answer.status} ${answer.body.toString().trim().slice(0, 500)}`.trim(),
      ];
    } catch (error) {
      return [firstLineOf(error)];
    }
  },
});

const bodyOf = ({ job, revision, folder, changes, files }: Candidate): string =>
  JSON.stringify({ job, revision, folder, ...changes, files: [...files.keys()] });
