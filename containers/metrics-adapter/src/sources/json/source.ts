// Statistics as JSON over HTTP, by the modules of json_exporter.
import { readFileSync } from "node:fs";

import * as z from "@outrigger/options/zod";

import { defined } from "../../defined.ts";
import type { HttpSettings, Question } from "../../http-client.ts";
import { ask, httpSettings, httpUrl } from "../../http-client.ts";
import type { Section } from "../../source.ts";
import { defineSource } from "../../source.ts";
import { loadYaml } from "../../yaml-file.ts";
import { addAllNumbers, createJsonMapping } from "./metrics.ts";
import type { JsonMapping } from "./metrics.ts";
import type { JsonModule } from "./module.ts";
import { jsonMetric, jsonModule, jsonModules } from "./module.ts";

const schema = z.strictObject({
  url: httpUrl.default("http://127.0.0.1:8000/"),
  /** A configuration file of json_exporter, and the module of it. */
  modulesFile: z.string().optional(),
  module: z.string().default("default"),
  /** Or what to look at right here. */
  metrics: z.array(jsonMetric).max(10_000).optional(),
  ...httpSettings,
});
export type JsonSettings = z.infer<typeof schema>;

/** The module that the settings name. Throws with what is wrong with its file. */
function moduleOf({ modulesFile, module, metrics }: JsonSettings): JsonModule | undefined {
  if (modulesFile === undefined) return metrics === undefined ? undefined : jsonModule.parse({ metrics });
  const loaded = loadYaml(modulesFile, jsonModules);
  if (loaded.problems !== undefined) throw new Error(loaded.problems.join("\n"));
  const found = loaded.value.modules[module];
  const names = Object.keys(loaded.value.modules).join(", ");
  if (found === undefined) throw new Error(`${modulesFile}: expected a module ${module}, got ${names}`);
  return found;
}

/** What a module says of how to ask, over what the source says. */
function httpOf(settings: JsonSettings, module: JsonModule): HttpSettings {
  const { basic_auth: basic, authorization, bearer_token_file: token, tls_config: tls } = module.http_client_config;
  return {
    ...settings,
    headers: { ...settings.headers, ...module.headers, ...authorizationOf(basic, authorization) },
    ...defined({
      username: basic?.password === undefined ? basic?.username : undefined,
      passwordFile: basic?.password_file,
      bearerTokenFile: token,
      tls:
        tls === undefined
          ? undefined
          : {
              unsafeSkipVerify: tls.insecure_skip_verify,
              ...defined({
                caFile: tls.ca_file,
                certFile: tls.cert_file,
                keyFile: tls.key_file,
                serverName: tls.server_name,
              }),
            },
    }),
  };
}

type Config = JsonModule["http_client_config"];

/** The header for credentials that stand in the file itself, or in a file of their own with another type than Bearer. */
function authorizationOf(basic: Config["basic_auth"], authorization: Config["authorization"]): Record<string, string> {
  if (basic?.password !== undefined) {
    return { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}` };
  }
  if (authorization === undefined) return {};
  const { type, credentials, credentials_file: file } = authorization;
  const secret = credentials ?? (file === undefined ? "" : readFileSync(file, "utf8").trim());
  return { authorization: `${type} ${secret}` };
}

function questionOf(
  settings: JsonSettings,
  module: JsonModule | undefined,
): Pick<Question, "settings" | "method" | "body" | "headers" | "isValid"> {
  const accept = { accept: "application/json" };
  if (module === undefined) return { settings, headers: accept };
  const { body, valid_status_codes: valid } = module;
  return {
    settings: httpOf(settings, module),
    headers: body === undefined ? accept : { ...accept, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: body.content }),
    ...(valid.length === 0 ? {} : { isValid: (status: number) => valid.includes(status) }),
  };
}

function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`expected JSON, got ${JSON.stringify(text.slice(0, 80))}`);
  }
}

export const json = defineSource<JsonSettings>({
  type: "json",
  prefix: "json",
  schema,
  targetKey: "url",
  check: (settings) => {
    try {
      moduleOf(settings);
      return [];
    } catch (error) {
      return (error as Error).message.split("\n");
    }
  },
  explain: async (settings, sample, section) => mapAll(section, parseDocument(sample), mappingsOf(moduleOf(settings))),
  create: (settings, { maxBodySize, log, name }) => {
    const module = moduleOf(settings);
    const mappings = mappingsOf(module);
    const told = new Set<string>();
    return {
      collect: async (section, { signal }) => {
        const { body } = await ask({ url: settings.url, maxBodySize, signal, ...questionOf(settings, module) });
        for (const reason of mapAll(section, parseDocument(body), mappings)) {
          if (!told.has(reason) && told.size < MAX_TOLD) log.warn({ source: name, reason }, "metric left out");
          told.add(reason);
        }
      },
    };
  },
});

/** Reasons that are told, each once. */
const MAX_TOLD = 100;

const mappingsOf = (module: JsonModule | undefined): readonly JsonMapping[] =>
  module?.metrics.map(createJsonMapping) ?? [addAllNumbers];

/** Maps a document. A metric that it does not have costs itself only: the reasons are given. */
function mapAll(section: Section, document: unknown, mappings: readonly JsonMapping[]): string[] {
  return mappings.flatMap((mapping) => {
    try {
      mapping(section, document);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}
