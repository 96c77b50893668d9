// The module of json_exporter, as its configuration file has it, with what goes beyond: keys and parents as labels, texts
// that stand for numbers, expressions, times, and what becomes of duplicates.
import * as z from "@outrigger/options/zod";

import { problemIn } from "../../expressions.ts";
import { parsePath, PathError } from "./path.ts";

const path = z.string().superRefine((text, context) => {
  try {
    parsePath(text);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    context.addIssue({ code: "custom", message: `a path (${error.message})` });
  }
});
const expression = z.string().superRefine((text, context) => {
  const problem = problemIn(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: `a regular expression (${problem})` });
});
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a name of a label");

export const jsonMetric = z.strictObject({
  name: z.string().min(1),
  path,
  help: z.string().optional(),
  type: z.enum(["value", "object"]).default("value"),
  valuetype: z.enum(["gauge", "counter", "untyped"]).default("untyped"),
  labels: z.record(labelName, path).default({}),
  values: z.record(z.string(), z.union([path, z.number(), z.boolean()])).default({}),
  epochTimestamp: path.optional(),
  allow_missing_key: z.boolean().default(false),
  // What follows is ours.
  /** Of an object or an array, the label that gets each member's key. */
  key_label: labelName.optional(),
  /** Labels by paths from what holds the thing that was found, and from the document. */
  parent_labels: z.record(labelName, path).default({}),
  root_labels: z.record(labelName, path).default({}),
  /** Texts, and the numbers that they stand for. */
  value_map: z.record(z.string(), z.number()).optional(),
  /** Its first group, or all that it fits, is the number. */
  regex: expression.optional(),
  scale: z.number().default(1),
  /** The value is a time, in whatever of the usual forms; what is shown is seconds since 1970. */
  time: z.boolean().default(false),
  duplicates: z.enum(["first", "last", "sum", "error"]).default("first"),
});
export type JsonMetric = z.infer<typeof jsonMetric>;

const clientConfig = z.strictObject({
  basic_auth: z
    .strictObject({ username: z.string(), password: z.string().optional(), password_file: z.string().optional() })
    .optional(),
  authorization: z
    .strictObject({
      type: z.string().default("Bearer"),
      credentials: z.string().optional(),
      credentials_file: z.string().optional(),
    })
    .optional(),
  bearer_token_file: z.string().optional(),
  tls_config: z
    .strictObject({
      ca_file: z.string().optional(),
      cert_file: z.string().optional(),
      key_file: z.string().optional(),
      server_name: z.string().optional(),
      insecure_skip_verify: z.boolean().default(false),
    })
    .optional(),
  follow_redirects: z.literal(false).optional(),
});

export const jsonModule = z.strictObject({
  headers: z.record(z.string(), z.string()).default({}),
  valid_status_codes: z.array(z.number().int()).default([]),
  http_client_config: clientConfig.default({}),
  body: z.strictObject({ content: z.string(), templatize: z.literal(false).default(false) }).optional(),
  metrics: z.array(jsonMetric).max(10_000).default([]),
});
export type JsonModule = z.infer<typeof jsonModule>;

/** json_exporter's configuration file. */
export const jsonModules = z.strictObject({ modules: z.record(z.string(), jsonModule) });
