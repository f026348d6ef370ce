/** Files that hold settings: klog's own, Kafka's, and the user's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDeclaredTopics } from '../../../src/cli/apply/declared-topics.js';
import { readConfigFiles } from '../../../src/cli/config-file.js';
import { decodeOffsetCheckpoint } from '../../../src/storage/checkpoint-file.js';
import { decodeLeaderEpochs } from '../../../src/storage/leader-epoch-checkpoint.js';
import { decodeMetaProperties } from '../../../src/storage/meta-properties.js';
import { decodePartitionMetadata } from '../../../src/storage/partition-metadata.js';
import { decodeKlogJson } from '../../../src/store/klog-json.js';
import { decodeTopicFile } from '../../../src/store/topic-file.js';
import { expectKlogError, expectKlogErrorFrom } from '../expect-klog-error.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutate-bytes.js';
import { mutateText } from '../mutate-text.js';

const FILES = [
  '0\n2\norders 0 12\norders 1 99\n',
  '0\n3\n0 0\n1 5\n7 99\n',
  'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n',
  '#\n#Sat Jan 01\nversion=1\ncluster.id=abc\nnode.id=0\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n',
  '{"formatVersion":1,"minReader":1,"minWriter":1,"lockMechanism":"ofd","features":[]}',
  '{"topic":"orders","topicId":"AAAAAAAAAAAAAAAAAAAAAQ","partitions":2,"configs":{"retention.ms":"5"},"state":"active"}',
];
const SETTINGS = [
  'dir: ./x\nformat: "%v\\n"\nacks: all\n',
  '{"dir":"a","acks":"all"}',
  'isolation-level: read_committed\nbrokers: [a, b]\n',
  'a: &x [1,2]\nb: *x\n',
  '? complex\n: value\n',
  '--- \n...\n---\nformat: json',
];
const TOPICS = [
  'topics:\n  - name: orders\n    partitions: 3\n    configs:\n      retention.ms: 604800000\n      cleanup.policy: [compact, delete]\n',
  '{"topics":[{"name":"a","partitions":1,"configs":{"segment.bytes":"1G"}},{"name":"b"}]}',
  'defaults: &d {retention.ms: -1}\ntopics:\n- {name: x, configs: *d}\n- {name: y, configs: {<<: *d}}\n',
  'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ntopics: [*c,*c,*c,*c,*c]\n',
];

export function smallFiles(): FuzzTarget {
  const decoders: readonly ((bytes: Buffer) => unknown)[] = [
    (bytes) => decodeOffsetCheckpoint(bytes, 'f'),
    (bytes) => decodeLeaderEpochs(bytes, 'f'),
    (bytes) => decodePartitionMetadata(bytes),
    (bytes) => decodeMetaProperties(bytes),
    (bytes) => decodeKlogJson(bytes, 'f'),
    (bytes) => decodeTopicFile(bytes, '/topics/orders.json'),
  ];
  return {
    name: 'small files',
    weight: 80,
    run(random) {
      const seed = random.pick(FILES);
      const bytes = random.chance(0.3)
        ? mutateBytes(Buffer.from(seed), random)
        : Buffer.from(mutateText(seed, random, FILES));
      for (const decode of decoders) expectKlogError(() => decode(bytes));
    },
  };
}

/** Through the real files: the loader reads nothing else. */
export function configFiles(): FuzzTarget {
  const directory = mkdtempSync(join(tmpdir(), 'klog-fuzz-'));
  return {
    name: 'config files',
    weight: 4,
    async run(random) {
      const name = random.chance(0.5) ? 'klog.config.yaml' : 'klog.config.json';
      const path = join(directory, name);
      writeFileSync(path, mutateText(random.pick(SETTINGS), random, SETTINGS));
      try {
        await expectKlogErrorFrom(() => readConfigFiles({ cwd: directory, env: { HOME: directory } }));
      } finally {
        rmSync(path);
      }
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export function declaredTopics(): FuzzTarget {
  return {
    name: 'declared topics',
    weight: 8,
    async run(random) {
      const text = mutateText(random.pick(TOPICS), random, TOPICS);
      await expectKlogErrorFrom(() => parseDeclaredTopics(text, 'topics.yaml'));
    },
  };
}
