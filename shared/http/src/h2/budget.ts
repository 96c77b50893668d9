// How often something may happen: a burst, and a rate at which the allowance for it comes back.

export type Budget = {
  /** Whether it may happen once more. */
  spend(): boolean;
};

/** As many at once as in a second, and on average no more than that. */
export function createBudget(perSecond: number): Budget {
  let left = perSecond;
  let at = performance.now();
  return {
    spend: () => {
      if (left < 1) {
        const now = performance.now();
        left = Math.min(perSecond, left + ((now - at) / 1000) * perSecond);
        at = now;
        if (left < 1) return false;
      }
      left -= 1;
      return true;
    },
  };
}
