// Sends records one by one, several at once, or as lists, and begins anew with another producer after a failure.
import { pause } from './recorder.mjs';
import { topicId } from './replacer.mjs';

/** What says that a record is certainly not stored. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

export async function write(client, { plan, recorder, random, over }) {
  const { topic, partitions, acks, mode, name, paddingBytes, pauseMs, isReplaced, compression, keyed } = plan;
  let sequence = 0;
  for (let run = 1; !over.aborted; run++) {
    const session = `${name}.${run}`;
    const lingerMs = mode === 'one' ? 0 : Math.floor(random() * 4);
    const producer = client.producer({ acks, lingerMs, compression });
    let failed = false;

    const send = async (count) => {
      const id = isReplaced ? await topicId(client, topic) : undefined;
      const records = Array.from({ length: count }, () => {
        const partition = Math.floor(random() * partitions);
        const value = `${session}:${sequence++}`;
        return { partition, value, ...(isReplaced ? {} : { log: `${topic}-${partition}` }) };
      });
      const question = recorder.invoke({ kind: 'send', session, acks, records });
      try {
        const given = records.map(({ partition, value }) => {
          const padding = '.'.repeat(Math.floor(random() * paddingBytes));
          // A key of its own: a compacted topic keeps them all.
          return { topic, partition, ...(keyed ? { key: value } : {}), value: `${value} ${padding}` };
        });
        const answers = count === 1 ? [await producer.send(given[0])] : await producer.sendAll(given);
        // The topic as it was before and after: then in between too, since ids are never given again.
        const same = isReplaced && id !== undefined && id === (await topicId(client, topic));
        const logs = same ? records.map(({ partition }) => `${id}/${topic}-${partition}`) : undefined;
        recorder.answer(question, 'ok', { offsets: answers.map(({ offset }) => offset), logs });
      } catch (error) {
        const { code } = error;
        recorder.answer(question, REFUSALS.has(code) ? 'fail' : 'info', { code, message: error.message });
        failed = true;
        if (!(plan.mayFail ?? []).includes(code)) throw error;
      }
    };

    while (!failed && !over.aborted) {
      if (mode === 'one') await send(1);
      else if (mode === 'list') await send(1 + Math.floor(random() * 8));
      else await allOf(Array.from({ length: 1 + Math.floor(random() * 16) }, () => send(1)));
      // Also without a pause: whether the round is over comes as an event.
      await pause(random() * pauseMs);
    }
    await producer.close().catch(() => {});
    if (failed && plan.endsWhenFailed) return;
    if (failed) await pause(5);
  }
}

/** The first failure, when the fate of all is known. */
async function allOf(promises) {
  const outcomes = await Promise.allSettled(promises);
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
