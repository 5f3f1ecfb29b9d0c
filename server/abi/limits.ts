/** Pages in one call that answers page by page. A longer range is refused: bad-params. */
export const RANGE_PAGES_MAX = 512;
/** Characters in the name of an actor or a lab. */
export const NAME_CHARS_MAX = 64;
