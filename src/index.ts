// The files of the interfaces hold nothing that is not public.
export type * from './clients/admin.js';
export type * from './clients/client.js';
export type * from './clients/consumer.js';
export type * from './clients/group-admin.js';
export * from './clients/group-consumer.js';
export { type OpenClientOptions, openClient } from './clients/local/open-client.js';
export type * from './clients/log-snapshot.js';
export { PARTITIONER_NAMES, type Partitioner, type PartitionerName } from './clients/partitioner.js';
export type * from './clients/producer.js';
export type * from './clients/topic-import.js';
export { ERROR_CODES, type ErrorCode, type ErrorPlace, KlogError, type KlogErrorOptions } from './errors.js';
export type * from './format/log-record.js';
export type { RecordCursor } from './format/record-cursor.js';
