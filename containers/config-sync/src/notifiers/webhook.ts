// Tells by an HTTP request.
import { readBounded } from "@outrigger/files";

import { fetchUrl, shownUrl } from "../http.ts";
import type { Announcement, Notifier } from "./notifier.ts";

export type WebhookSettings = {
  readonly timeoutMs: number;
  readonly method: string;
  /** Each `Name: value`. */
  readonly headers: readonly string[];
  readonly body: string | undefined;
  /** A file with the value of Authorization. */
  readonly authorizationFile: string | undefined;
  /** Statuses that mean success; none: 2xx. */
  readonly statuses: readonly number[];
};

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_CREDENTIALS_BYTES = 16 * 1024;

export const createWebhook = (url: URL, settings: WebhookSettings): Notifier => ({
  name: shownUrl(url),
  notify: async (announcement) => {
    const { method, timeoutMs, statuses } = settings;
    const body = method === "GET" ? undefined : bodyOf(announcement, settings.body);
    const { status } = await fetchUrl(url, {
      method,
      headers: { ...(await headersOf(settings)), "x-config-revision": announcement.revision },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const isExpected = statuses.length > 0 ? statuses.includes(status) : status >= 200 && status <= 299;
    if (!isExpected) throw new Error(`${shownUrl(url)}: expected ${statuses.join(" or ") || "2xx"}, got ${status}`);
  },
});

async function headersOf({ headers, body, authorizationFile }: WebhookSettings): Promise<Record<string, string>> {
  const given = headers.map((header): [string, string] => {
    const at = header.indexOf(":");
    return [header.slice(0, at).trim().toLowerCase(), header.slice(at + 1).trim()];
  });
  const type: [string, string][] = body === undefined ? [["content-type", "application/json"]] : [];
  if (authorizationFile === undefined) return Object.fromEntries([...type, ...given]);
  const authorization = (await readBounded(authorizationFile, MAX_CREDENTIALS_BYTES)).toString().trim();
  return { ...Object.fromEntries([...type, ...given]), authorization };
}

function bodyOf({ changes, previous, output, ...rest }: Announcement, template: string | undefined): string {
  if (template === undefined)
    return JSON.stringify({ ...rest, output: output ?? null, previous: previous ?? null, ...changes });
  const words: Readonly<Record<string, string>> = { ...rest, output: output ?? "", previous: previous ?? "" };
  return template.replaceAll(/\{(\w+)\}/g, (written, name: string) =>
    Object.hasOwn(words, name) ? words[name]! : written,
  );
}
