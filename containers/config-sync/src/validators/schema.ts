import { readBounded } from "@outrigger/files";
// JSON Schema: draft-07 and 2020-12, for JSON, YAML and TOML files.
import { Ajv } from "ajv";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

import { createPattern } from "../written.ts";
import { documentsOf } from "./formats.ts";
import { firstLineOf, textOf } from "./validator.ts";
import type { Validator } from "./validator.ts";

const MAX_SCHEMA_BYTES = 1024 ** 2;
const STRUCTURED = /\.(json|ya?ml|toml)$/;

/** Every structured file that matches the pattern must fulfil the schema, which is read anew each time. */
export function createSchemaValidator(file: string, pattern: string | undefined): Validator {
  const isMeant = pattern === undefined ? (path: string) => STRUCTURED.test(path) : createPattern(pattern);
  return {
    name: `schema:${file}`,
    check: async ({ files }) => {
      const validate = await loadSchema(file);
      return [...files].flatMap(([path, entry]) => (isMeant(path) ? problemsOf(path, textOf(entry), validate) : []));
    },
  };
}

async function loadSchema(file: string): Promise<ValidateFunction> {
  const schema = JSON.parse((await readBounded(file, MAX_SCHEMA_BYTES)).toString()) as { $schema?: string };
  const options = { allErrors: false, strict: false, logger: false } as const;
  const ajv = schema.$schema?.includes("2020-12") === true ? new Ajv2020(options) : new Ajv(options);
  return ajv.compile(schema);
}

function problemsOf(path: string, text: string, validate: ValidateFunction): string[] {
  try {
    return documentsOf(path, text).flatMap((document) => {
      if (validate(document)) return [];
      const { instancePath = "", message = "what the schema says" } = validate.errors?.[0] ?? {};
      return [
        `${path}: expected ${instancePath === "" ? "it" : instancePath} as the schema says, got one that ${message}`,
      ];
    });
  } catch (error) {
    return [`${path}: expected JSON, YAML or TOML, got ${firstLineOf(error)}`];
  }
}
