// Kinds made of others: lists of a kind, and values with a structure of their own.
import * as z from "zod";

import type { Kind } from "./kinds.ts";
import type { AnyKind } from "./table.ts";

/** A list of another kind: repeated flags, or items with commas between them. */
export function list<T>(item: Kind<T>, { maxItems = 1000 } = {}): Kind<T[]> {
  const { written = item.format } = item;
  const bounded = z.array(z.unknown()).check(({ value, issues }) => {
    if (value.length <= maxItems) return;
    issues.push({ code: "custom", message: `at most ${maxItems} items`, input: value, continue: false });
  });
  const split = z.codec(z.unknown(), bounded, { decode: itemsOf, encode: (items) => items });
  const json = { anyOf: [{ type: "array", items: item.json, maxItems }, { type: "string" }, item.json] };
  return {
    name: `list of ${item.name}`,
    form: `a list of: ${item.form}`,
    schema: split.pipe(z.array(item.schema)).meta(json) as z.ZodType<T[], unknown>,
    json,
    format: (values) => values.map((value) => item.format(value)).join(","),
    written: (values) => values.map((value) => written(value)),
    list: true,
  };
}

/** The items of a list as it was given: text has commas between them, anything else that is no list is one item. */
export function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return value === undefined || value === null ? [] : [value];
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/**
 * A structured value by a zod schema of its own: only the file (or the inline file) can hold it. What the schema changes
 * it must be able to change back, as kinds' schemas and codecs do, so that the value can be printed as it is written.
 */
export function structured<T>(schema: z.ZodType<T, unknown>, form: string): Kind<T> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: "draft-07", io: "input" });
  const written = (value: T): unknown => z.encode(schema, value);
  return {
    name: "object",
    form,
    schema,
    json,
    format: (value) => JSON.stringify(written(value)),
    written,
    fileOnly: true,
  };
}

/** A list of objects, each with these keys; `required` ones must be there. Only the file can hold it. */
export function objects<T>(
  keys: Readonly<Record<string, AnyKind>>,
  { required, form, maxItems = 1000 }: { required: readonly string[]; form: string; maxItems?: number },
): Kind<T[]> {
  const shape = Object.fromEntries(
    Object.entries(keys).map(([key, { schema }]) => [key, required.includes(key) ? schema : schema.optional()]),
  );
  return structured(z.array(z.strictObject(shape)).max(maxItems) as unknown as z.ZodType<T[], unknown>, form);
}
