// How many requests may be sent a second time: a share of all, and a few more so that little traffic can be helped, too.

export type RetryBudget = {
  /** A request has come. */
  earn(): void;
  /** Whether one may be sent again; it counts then. */
  spend(): boolean;
};

const RESERVE = 10;

/** `share` from 0, for never, to 1. */
export function createRetryBudget(share: number): RetryBudget {
  const most = share === 0 ? 0 : RESERVE;
  let credit = most;
  return {
    earn: () => {
      if (credit < most) credit = Math.min(most, credit + share);
    },
    spend: () => {
      if (credit < 1) return false;
      credit--;
      return true;
    },
  };
}
