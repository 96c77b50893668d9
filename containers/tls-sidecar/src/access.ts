// Who may connect, by the server name that a client asked for: rules and CA of that name, or those of all others.
import type { Material } from "./material.ts";
import { createPolicy } from "./policy.ts";
import type { Policy, Values } from "./policy.ts";
import { createServerNames, nameOfHost } from "./server-names.ts";

/** What holds for clients of one name. */
export type Access = {
  /** The name as the folder has it, "" for what holds for all others. */
  readonly name: string;
  readonly policy: Policy;
  readonly ca: string | undefined;
  /** Our certificate, in PEM. */
  readonly cert: string;
};

export type AccessTable = {
  readonly all: readonly Access[];
  /** Undefined where a name is wanted that we have, and this is none. */
  find(asked: string | false | null | undefined): Access | undefined;
  /** Whether a request for this host may come on a connection to that name. */
  fits(host: string, name: string): boolean;
};

export function createAccessTable(material: Material, { strictSni }: Values): AccessTable {
  const accessOf = ({
    name = "",
    policy,
    ca,
    cert,
  }: Material["names"][number] | (Material & { name?: string })): Access => ({
    name,
    policy: createPolicy(policy),
    ca,
    cert,
  });
  const common = accessOf(material);
  const named = material.names.map(accessOf);
  const names = createServerNames(named.map((access) => [access.name, access] as const));
  const find = (asked: string | false | null | undefined): Access | undefined =>
    names.find(asked) ?? (strictSni ? undefined : common);
  // Where all names have the same rules, nothing is won by asking for one and then for another.
  const separate = material.names.some((each) => each.separate);
  return {
    all: [common, ...named],
    find,
    fits: (host, name) => !separate || (find(nameOfHost(host)) ?? common).name === name,
  };
}
