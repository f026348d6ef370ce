/**
 * Which partition of `__consumer_offsets` has the records of a group, and of `__transaction_state` those of a
 * transactional id: Java's hash of the text, *absolute* (not masked, as for the keys of records).
 */

/** `partitions`: how many the internal topic has, 50 by default in Kafka. */
export function groupPartition(groupId: string, partitions: number): number {
  const hash = javaStringHash(groupId);
  // Java's abs of -2^31 is negative; Kafka's is 0.
  return hash === -0x8000_0000 ? 0 : Math.abs(hash) % partitions;
}

/** `String.hashCode`: over UTF-16 units, in 32 bits. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let n = 0; n < text.length; n++) hash = (Math.imul(hash, 31) + text.charCodeAt(n)) | 0;
  return hash;
}
