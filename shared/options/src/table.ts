// The option table: the only place where an option is described. Flags, variables, file keys, usage, tables and schemas
// are projections of it.
import type { Kind } from "./kinds.ts";

/** One option as its container describes it. */
export type Option<T> = {
  readonly kind: Kind<NonNullable<T>>;
  /** One or two sentences in Markdown: what it does, and when to change it. */
  readonly summary: string;
  /** The heading under which usage and tables list it. */
  readonly section: string;
  /** As one would write it on the command line; without one the value may be undefined (a list is then empty). */
  readonly default?: string;
  /** Variables of other programs or of the book that mean the same: name to how their text becomes ours. */
  readonly aliases?: Readonly<Record<string, (text: string) => string>>;
};

// A table holds options of every type; ValuesOf recovers each.
// oxlint-disable-next-line typescript/no-explicit-any
export type OptionTable = Readonly<Record<string, Option<any>>>;
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyKind = Kind<any>;

/** The values of a table: what a container receives. */
export type ValuesOf<T extends OptionTable> = { readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never };

type Spec<T> = { kind: Kind<T>; summary: string; section: string; aliases?: Option<T>["aliases"] };

/** Describes one option. The default is text of its kind and is checked when the table is made. */
export function option<T>(spec: Spec<T> & { default: string }): Option<T>;
export function option<T>(spec: Spec<T[]>): Option<T[]>;
export function option<T>(spec: Spec<T>): Option<T | undefined>;
export function option<T>(spec: Spec<T> & { default?: string }): Option<T | undefined> {
  if (spec.default !== undefined && !spec.kind.schema.safeParse(spec.default).success) {
    throw new TypeError(`default: expected ${spec.kind.form}, got ${spec.default}`);
  }
  return spec as Option<T | undefined>;
}

/** Words of a property name: `clientCa` is client, ca. */
const wordsOf = (property: string): string[] => property.split(/(?=[A-Z])/).map((word) => word.toLowerCase());

/** The flag of a property: `clientCa` is `--client-ca`. */
export const flagOf = (property: string): string => `--${wordsOf(property).join("-")}`;

/** The four spellings of one option. */
export type Spelling = { readonly property: string; readonly flag: string; readonly variable: string };

/** How an option is written in a file, as a flag and as a variable. A secret is spelt with the file that holds it. */
export function spell(property: string, kind: AnyKind, prefix: string): Spelling {
  const key = kind.secret === true ? `${property}File` : property;
  return { property: key, flag: flagOf(key), variable: `${prefix}_${wordsOf(key).join("_").toUpperCase()}` };
}

/** The prefix of a container's variables: `tls-sidecar` has TLS_SIDECAR. */
export const prefixOf = (container: string): string => container.replaceAll("-", "_").toUpperCase();
