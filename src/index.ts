export type {
  Admin,
  ApplyRetentionOptions,
  CompactedPartition,
  CompactTopicOptions,
  ConfigChange,
  DeletedRecords,
  DeleteRecordsOptions,
  ErasedRecords,
  EraseRecordsOptions,
  EraseSelection,
  ListedOffset,
  ListTopicsOptions,
  NewTopic,
  PartitionDescription,
  RecordsToDelete,
  RetainedPartition,
  TopicConfigEntry,
  TopicConfigs,
  TopicDescription,
  TopicListing,
} from './clients/admin.js';
export type { Client, ConsumerBatch, TopicPartition } from './clients/client.js';
export type {
  Consumer,
  ConsumerOptions,
  ConsumerRecord,
  CorruptRange,
  IsolationLevel,
  OffsetSpec,
  PartitionRange,
  TopicSelection,
} from './clients/consumer.js';
export { type OpenClientOptions, openClient } from './clients/local/open-client.js';
export type {
  DeletedRange,
  LogSnapshot,
  PartitionSnapshot,
  SnapshotOptions,
  TopicSnapshot,
} from './clients/log-snapshot.js';
export { PARTITIONER_NAMES, type Partitioner, type PartitionerName } from './clients/partitioner.js';
export type {
  Acknowledgement,
  Acks,
  CompressionType,
  Producer,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
  RecordWriter,
} from './clients/producer.js';
export type { ImportedTopic, TopicImport } from './clients/topic-import.js';
export { ERROR_CODES, type ErrorCode, type ErrorPlace, KlogError, type KlogErrorOptions } from './errors.js';
export type { LogRecord, RecordHeader, TimestampType } from './format/log-record.js';
export type { RecordCursor } from './format/record-cursor.js';
