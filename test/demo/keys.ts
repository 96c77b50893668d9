// Single keys from the terminal, without Enter.

/** What a terminal in raw mode gives for Ctrl-C, instead of the signal. */
export const CTRL_C = "\u0003";

/** Calls `onKey` for each key; gives a function that stops it. Does nothing where there is no terminal. */
export function listenToKeys(onKey: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const onData = (bytes: Buffer): void => {
    for (const key of bytes.toString("latin1")) onKey(key);
  };
  stdin.setRawMode(true).on("data", onData).resume();
  return () => void stdin.off("data", onData).setRawMode(false).pause();
}
