// Connections to shards that one client has for itself: those that watch keys, or are subscribed. So many at a time.
import type { Session } from "../proxy/dispatching.ts";
import type { OwnLinkSettings, ShardLink } from "../proxy/shard-link.ts";
import type { Shard } from "../proxy/shard.ts";

export type OwnConnections = {
  /** A connection of the session's own; undefined when there are too many already. */
  open(shard: Shard, session: Session, settings: OwnLinkSettings): OwnConnection | undefined;
};

export type OwnConnection = {
  readonly link: ShardLink;
  /** Ends it; may be said more than once. */
  close(): void;
};

export function createOwnConnections(max: number, onCount: (open: number) => void): OwnConnections {
  let open = 0;
  const count = (by: number): void => {
    open += by;
    onCount(open);
  };
  return {
    open: (shard, { protocol }, settings) => {
      if (open >= max) return undefined;
      count(1);
      const link = shard.openOwn(protocol, settings);
      let isOpen = true;
      const close = (): void => {
        if (!isOpen) return;
        isOpen = false;
        count(-1);
        link.close();
      };
      return { link, close };
    },
  };
}
