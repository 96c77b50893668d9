// Regular expressions of configurations that other programs know: anchored or not, with groups by number, and templates
// with `$1` and `${name}` in them, as Go's regexp has them.
import { compilePattern, PatternError } from "@outrigger/patterns";

export type Expression = {
  /** The groups by number, the first being group 1, and by name; undefined where it does not fit. */
  match(text: string): Groups | undefined;
};
export type Groups = { readonly numbered: readonly string[]; readonly named: ReadonlyMap<string, string> };

/** Prefix of the names that groups without one get. */
const OWN = "g_";

/** Gives every capturing group a name, so that all can be asked for: those without one are `g_<number>`. */
function nameGroups(source: string): string {
  let number = 0;
  let inClass = false;
  let result = "";
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!;
    result += char;
    if (char === "\\") result += source[++at] ?? "";
    else if (inClass) inClass = char !== "]";
    else if (char === "[") {
      inClass = true;
      // A bracket that comes first, or after ^, is one of the class.
      const literal = /^\^?\]/.exec(source.slice(at + 1))?.[0] ?? "";
      result += literal;
      at += literal.length;
    } else if (char === "(" && source[at + 1] !== "?") result += `?<${OWN}${++number}>`;
    else if (/^\(\?P?<[^=!]/.test(source.slice(at, at + 5))) number++;
  }
  return result;
}

/** Compiles an expression; `whole` makes it fit only a text as a whole. Throws a PatternError. */
export function compileExpression(source: string, { whole = false } = {}): Expression {
  const named = nameGroups(source);
  const pattern = compilePattern(whole ? `^(?s:${named})$` : named);
  return {
    match: (text) => {
      const values = pattern.exec(text);
      if (values === undefined) return undefined;
      const numbered = values.map((value) => (value === undefined ? "" : String(value)));
      const names = pattern.fields.flatMap(({ name }, at): [string, string][] =>
        name.startsWith(OWN) ? [] : [[name, numbered[at]!]],
      );
      return { numbered, named: new Map(names) };
    },
  };
}

/** Why an expression cannot be used; undefined when it can. */
export function problemIn(source: string): string | undefined {
  try {
    compileExpression(source);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** Replaces `$1`, `${1}`, `$name` and `${name}`; a group that there is not is empty, `$$` is a dollar. */
export function expandTemplate(template: string, { numbered, named }: Groups, whole = ""): string {
  if (!template.includes("$")) return template;
  return template.replaceAll(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, braced?: string, plain?: string) => {
    if (dollar !== undefined) return "$";
    const name = braced ?? plain ?? "";
    if (name === "0") return whole;
    return /^\d+$/.test(name) ? (numbered[Number(name) - 1] ?? "") : (named.get(name) ?? "");
  });
}
