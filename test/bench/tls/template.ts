// Configuration files are templates: `{{name}}` stands for a value that only the run knows.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Fills in the placeholders. Throws on one without a value, so that no program starts with a broken configuration. */
export function fillTemplate(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`template: expected a value for {{${name}}}, got none`);
    return String(value);
  });
}

/** Writes the filled template `name` (of this folder) to the run's folder as `as`; returns the path. */
export function writeTemplate(
  name: string,
  as: string,
  folder: string,
  values: Readonly<Record<string, string | number>>,
): string {
  const path = join(folder, as);
  writeFileSync(path, fillTemplate(readFileSync(join(import.meta.dirname, name), "utf8"), { folder, ...values }));
  return path;
}
