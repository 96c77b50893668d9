// Which of several server names a client means: the most specific that matches.

export type ServerNames<T> = {
  /** What belongs to the name that a client asked for; undefined when it asked for none, or for one that is not here. */
  find(asked: string | false | null | undefined): T | undefined;
};

/** Names as certificates have them: `*` stands for one whole label, the first (RFC 9525 section 6.3). */
export const isServerName = (name: string): boolean =>
  name.length <= 253 && /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(name);

/** Makes the table; names are in lower case, without a dot at the end. */
export function createServerNames<T>(entries: Iterable<readonly [name: string, value: T]>): ServerNames<T> {
  const byName = new Map(entries);
  return {
    find: (asked) => {
      if (typeof asked !== "string" || asked === "" || byName.size === 0) return undefined;
      const name = asked.toLowerCase().replace(/\.$/, "");
      return byName.get(name) ?? byName.get(`*${name.slice(name.indexOf("."))}`);
    },
  };
}

/** The name in a Host field: without its port. */
export const nameOfHost = (host: string): string => host.replace(/:\d*$/, "");
