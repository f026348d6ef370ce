import type { Assignor } from './assignor.js';
import { assignRange } from './range.js';
import { assignRoundRobin } from './round-robin.js';
import { assignCooperativeSticky, assignSticky } from './sticky.js';

/** By Kafka's names, as they stand in `protocol` of a group's metadata. */
export const ASSIGNORS = {
  range: assignRange,
  roundrobin: assignRoundRobin,
  sticky: assignSticky,
  'cooperative-sticky': assignCooperativeSticky,
} as const satisfies Record<string, Assignor>;

export type AssignorName = keyof typeof ASSIGNORS;

export const ASSIGNOR_NAMES = Object.keys(ASSIGNORS) as readonly AssignorName[];
