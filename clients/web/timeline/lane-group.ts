/** Lanes that may be drawn as one. */
export type LaneGroup = 'cpu' | 'device';
