// The lines that are read: made up, the same in every run, as many as asked for.

export type Kind = { readonly name: string; readonly format: string; readonly line: (i: number) => string };

const two = (number: number): string => String(number % 60).padStart(2, "0");

export const KINDS: readonly Kind[] = [
  {
    name: "combined",
    format: "access",
    line: (i) =>
      `10.0.${i % 256}.${(i * 7) % 256} - - [02/Jan/2006:15:04:${two(i)} +0000] "GET /index/${i}?a=b HTTP/1.1" ${i % 9 === 0 ? 404 : 200} ${i % 5000} "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`,
  },
  {
    name: "JSON",
    format: "json",
    line: (i) =>
      `{"level":30,"time":${1_136_214_245_000 + i},"pid":7,"hostname":"web","reqId":"req-${i}","msg":"order ${i} has been sold"}`,
  },
  {
    name: "header and message",
    format: "text",
    line: (i) =>
      `2006-01-02 15:04:${two(i)},${String(i % 1000).padStart(3, "0")} INFO [main] com.example.Shop: order ${i} has been sold`,
  },
  {
    name: "syslog",
    format: "syslog",
    line: (i) => `<13>Jan  2 15:04:${two(i)} web shop[7]: order ${i} has been sold`,
  },
];

/** All lines of a kind as one text. */
export const textOf = (kind: Kind, count: number): string =>
  Array.from({ length: count }, (_, i) => `${kind.line(i)}\n`).join("");
