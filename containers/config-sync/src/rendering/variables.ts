// `${NAME}` and `${NAME:-default}` in a text; `$${` stands for `${`. What else has a dollar in it stays as it is.
import type { Environment } from "../deps.ts";

/** Throws an error that names the first variable that is not there; its message has no values. */
export function expandVariables(text: string, variables: Environment): string {
  return text.replaceAll(/\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g, (written, name?: string, fallback?: string) => {
    if (name === undefined) return "${";
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value !== undefined && value !== "") return value;
    if (fallback !== undefined) return fallback;
    if (value === "") return "";
    throw new Error(`expected a variable or a file named ${name}, got none for ${written}`);
  });
}
