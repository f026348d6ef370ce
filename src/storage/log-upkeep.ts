/**
 * What changes closed segments. Loaded at once when the first of it is asked for: a start that only appends does
 * without.
 */
export { compact } from './log-compaction.js';
export { erase } from './log-erase.js';
export { applyRetention } from './log-retention.js';
export { trim } from './log-trim.js';
export { upkeepAfterRoll } from './upkeep-after-roll.js';
