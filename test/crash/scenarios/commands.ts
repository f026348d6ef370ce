/** The command line itself, killed and failed at every call. */
import { newId, payloadOf } from '../rig/payload.js';
import type { Scenario } from './scenario.js';

/** Lines for `klog produce`, each the value of a plain record. */
function lines(count: number): string {
  const ids = Array.from({ length: count }, (_, n) => newId('p', 0, n, 40 + ((n * 177) % 400)));
  return ids.map((id) => `${payloadOf(id)!.value.toString('latin1')}\n`).join('');
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
    stage.sayAll(
      lines(8)
        .split('\n')
        .slice(0, -1)
        .map((line, n) => `ack backup 0 ${n} ${line}`),
    );
  },
};
