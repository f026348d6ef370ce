/** The command line itself, killed and failed at every call. */
import { join } from 'node:path';
import { newId, payloadOf } from '../rig/payload.js';
import type { Scenario, Stage } from './scenario.js';

/** Lines for `klog produce`, each the value of a plain record. */
function lines(count: number): string {
  const ids = Array.from({ length: count }, (_, n) => newId('p', 0, n, 40 + ((n * 177) % 400)));
  return ids.map((id) => `${payloadOf(id)!.value.toString('latin1')}\n`).join('');
}

/** The same for `klog produce -K :`, each with a key. */
function keyedLines(from: number, count: number): string {
  const payloads = Array.from(
    { length: count },
    (_, n) => payloadOf(newId('k', 0, from + n, 40 + (((from + n) * 177) % 300)))!,
  );
  return payloads.map(({ key, value }) => `${key}:${value.toString('latin1')}\n`).join('');
}

const REPORT = ['--report', 'ack %t %p %o %v\\n'];

export const createCommand: Scenario = {
  name: 'klog-topic-create',
  about: 'klog topic create, the directory included',
  isCommand: true,
  async run(stage) {
    stage.say('creating orders 2');
    await stage.klog(['topic', 'create', 'orders', '-p', '2']);
    stage.say('created orders 2');
  },
};

export const produceCommand: Scenario = {
  name: 'klog-produce',
  about: 'klog produce into a topic that is not there yet, over rolls',
  isCommand: true,
  async run(stage) {
    stage.say('creating orders 1');
    await stage.klog(['topic', 'create', 'orders', '-c', 'segment.bytes=1500']);
    stage.say('created orders 1');
    await stage.klog(['produce', 'orders', '--batch-bytes', '600', ...REPORT], lines(12));
  },
};

export const topicCommands: Scenario = {
  name: 'klog-topic-alter-delete',
  about: 'klog topic alter, delete and create again, with records',
  isCommand: true,
  async run(stage) {
    stage.say('creating orders 1');
    await stage.klog(['produce', 'orders', ...REPORT], lines(3));
    stage.say('created orders 1');
    stage.say('growing orders 2');
    await stage.klog(['topic', 'alter', 'orders', '-p', '2']);
    stage.say('grown orders 2');
    stage.say('deleting orders');
    await stage.klog(['topic', 'delete', 'orders', '-y']);
    stage.say('deleted orders');
  },
};

export const copyCommand: Scenario = {
  name: 'klog-copy',
  about: 'klog copy',
  isCommand: true,
  async run(stage) {
    stage.say('creating orders 1');
    await stage.klog(['produce', 'orders', '--batch-bytes', '600', ...REPORT], lines(8));
    stage.say('created orders 1');
    stage.say('creating backup 1');
    await stage.klog(['copy', 'orders', 'backup']);
    stage.say('created backup 1');
    sayCopied(stage, 'backup', 8);
  },
};

async function makeOrders(stage: Stage, ...configs: readonly string[]): Promise<void> {
  stage.say('creating orders 1');
  await stage.klog(['topic', 'create', 'orders', '-c', 'segment.bytes=1500', ...configs.flatMap((one) => ['-c', one])]);
  stage.say('created orders 1');
}

function produceKeyed(stage: Stage, from: number, count: number): Promise<void> {
  return stage.klog(['produce', 'orders', '-K', ':', '--batch-bytes', '600', ...REPORT], keyedLines(from, count));
}

/** That another topic has the records of `lines(count)`. */
function sayCopied(stage: Stage, topic: string, count: number): void {
  const values = lines(count).split('\n').slice(0, -1);
  stage.sayAll(values.map((line, n) => `ack ${topic} 0 ${n} ${line}`));
}

export const trimCommand: Scenario = {
  name: 'klog-topic-trim',
  about: 'klog topic trim, within a segment and to the end',
  isCommand: true,
  async run(stage) {
    await makeOrders(stage);
    await stage.klog(['produce', 'orders', '--batch-bytes', '600', ...REPORT], lines(12));
    for (const offset of [5, 12]) {
      stage.say(`trimming orders 0 ${offset}`);
      await stage.klog(['topic', 'trim', 'orders', '-o', `${offset}`, '-y']);
      stage.say(`trimmed orders 0 ${offset}`);
    }
  },
};

export const compactCommand: Scenario = {
  name: 'klog-topic-compact',
  about: 'klog topic compact between two runs of klog produce',
  isCommand: true,
  async run(stage) {
    await makeOrders(stage, 'cleanup.policy=compact');
    stage.say('compacting orders');
    await produceKeyed(stage, 0, 14);
    await stage.klog(['topic', 'compact', 'orders']);
    await produceKeyed(stage, 14, 3);
  },
};

export const eraseCommand: Scenario = {
  name: 'klog-erase',
  about: 'klog erase by key, from closed segments and the open one',
  isCommand: true,
  async run(stage) {
    await makeOrders(stage);
    await produceKeyed(stage, 0, 14);
    stage.say('erasing orders k3');
    await stage.klog(['erase', 'orders', '--key', 'k3', '-y']);
    stage.say('erased orders k3');
  },
};

export const cloneCommand: Scenario = {
  name: 'klog-topic-clone',
  about: 'klog topic clone with its records',
  isCommand: true,
  async run(stage) {
    await makeOrders(stage);
    await stage.klog(['produce', 'orders', '--batch-bytes', '600', ...REPORT], lines(8));
    stage.say('creating twin 1');
    await stage.klog(['topic', 'clone', 'orders', 'twin', '--with-records']);
    stage.say('created twin 1');
    sayCopied(stage, 'twin', 8);
  },
};

export const importCommand: Scenario = {
  name: 'klog-export-import',
  about: 'klog export, the topic deleted, klog import',
  isCommand: true,
  async run(stage) {
    const archive = join(stage.directory, '..', 'orders.klog');
    await makeOrders(stage);
    await stage.klog(['produce', 'orders', '--batch-bytes', '600', ...REPORT], lines(8));
    await stage.klog(['export', 'orders', '-o', archive]);
    stage.say('deleting orders');
    await stage.klog(['topic', 'delete', 'orders', '-y']);
    stage.say('deleted orders');
    stage.say('creating orders 1');
    await stage.klog(['import', archive]);
    stage.say('created orders 1');
    sayCopied(stage, 'orders', 8);
  },
};

export const applyCommand: Scenario = {
  name: 'klog-topic-apply',
  about: 'klog topic apply makes two topics, then another and a larger one',
  isCommand: true,
  async run(stage) {
    stage.sayAll(['creating orders 1', 'creating users 2']);
    await stage.klog(['topic', 'apply', '-'], 'topics: [{name: orders}, {name: users, partitions: 2}]');
    stage.sayAll(['created orders 1', 'created users 2', 'growing orders 3', 'creating later 1']);
    await stage.klog(['topic', 'apply', '-'], 'topics: [{name: orders, partitions: 3}, {name: later}]');
    stage.sayAll(['grown orders 3', 'created later 1']);
  },
};
