// What helps an application that knows nothing of HTTPS: its redirects, its cookies, and browsers that come back.
import type { ResponseSettings } from "@outrigger/http";

import type { Values } from "./policy.ts";

export function responseChangesOf({ hsts, rewriteLocation, rewriteCookies }: Values): ResponseSettings {
  return {
    ...(hsts === undefined
      ? {}
      : { lines: `Strict-Transport-Security: max-age=${hsts / 1000}\r\n`, ownedFields: ["strict-transport-security"] }),
    rewrites: {
      ...(rewriteLocation ? { location: secureLocation } : {}),
      ...(rewriteCookies ? { "set-cookie": secureCookie } : {}),
    },
  };
}

const PLAIN_URL = /^http:\/\/([^/?#]*)(.*)$/i;
const AUTHORITY = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;

/**
 * `http://` of the host that the client asked becomes `https://`, with the port that the client asked. An application
 * that does not know this port names none, or 80; any other port is another server's.
 */
export function secureLocation(value: string, host: string): string {
  const [, authority, rest] = PLAIN_URL.exec(value) ?? [];
  if (authority === undefined || authority === "") return value;
  const named = splitAuthority(authority);
  const asked = splitAuthority(host);
  const samePort = ["", "80", asked.port].includes(named.port);
  return named.name === asked.name && samePort ? `https://${host}${rest}` : value;
}

function splitAuthority(authority: string): { name: string; port: string } {
  const [, name = authority, port = ""] = AUTHORITY.exec(authority.toLowerCase()) ?? [];
  return { name, port };
}

/** Adds `Secure` where it is missing. */
export function secureCookie(value: string): string {
  const attributes = value.split(";").slice(1);
  return attributes.some((attribute) => /^\s*secure\s*(=|$)/i.test(attribute)) ? value : `${value}; Secure`;
}
