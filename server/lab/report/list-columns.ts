/** What a mailing list takes: checkpatch complains of longer lines in a commit message. */
export const LIST_COLUMNS_MAX = 75;
