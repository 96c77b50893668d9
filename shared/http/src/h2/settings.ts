// What the peer's SETTINGS say that matters to us (RFC 9113 section 6.5.2).
import type { ErrorCode } from "./frames.ts";
import { ERROR, MAX_FRAME, MAX_WINDOW, SETTING } from "./frames.ts";

export type PeerSettings = {
  /** The window that each of our streams begins with. */
  initialWindow: number;
  maxStreams: number;
};

const MAX_FRAME_LIMIT = 2 ** 24 - 1;

/** Takes over a payload of settings; gives the error for which the connection has to end. */
export function applySettings(peer: PeerSettings, payload: Buffer): ErrorCode | undefined {
  for (let at = 0; at < payload.length; at += 6) {
    const problem = applyOne(peer, payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function applyOne(peer: PeerSettings, id: number, value: number): ErrorCode | undefined {
  switch (id) {
    case SETTING.enablePush:
      return value > 1 ? ERROR.protocol : undefined;
    case SETTING.initialWindowSize:
      if (value > MAX_WINDOW) return ERROR.flowControl;
      peer.initialWindow = value;
      return undefined;
    case SETTING.maxConcurrentStreams:
      peer.maxStreams = value;
      return undefined;
    case SETTING.maxFrameSize:
      // We send none larger than the least that everybody must take.
      return value < MAX_FRAME || value > MAX_FRAME_LIMIT ? ERROR.protocol : undefined;
    default:
      return undefined;
  }
}
