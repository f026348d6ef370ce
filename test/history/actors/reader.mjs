// Follows partitions, reads them from some offset to the end again and again, and asks for their ends.
import { pause } from './recorder.mjs';
import { topicId } from './replacer.mjs';

export async function read(client, context) {
  const { plan, over } = context;
  while (!over.aborted) {
    try {
      if (plan.mode === 'follow') await follow(client, context);
      else await look(client, context);
    } catch (error) {
      if (!(plan.mayFail ?? []).includes(error.code)) throw error;
      await pause(5);
    }
  }
}

/** Over all rounds of the process. */
let sessions = 0;

/** One partition, from its beginning, as records come. */
async function follow(client, { plan, recorder, random, over }) {
  const { topic, partitions, name, isReplaced } = plan;
  const partition = Math.floor(random() * partitions);
  const session = `${name}.${++sessions}`;
  const id = isReplaced ? await topicId(client, topic) : undefined;
  const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }], follow: true, signal: over });
  const batches = consumer.batches()[Symbol.asyncIterator]();
  let from = 0;
  try {
    for (;;) {
      const log = isReplaced ? undefined : `${topic}-${partition}`;
      const question = recorder.invoke({ kind: 'poll', session, log, from });
      const { done, value: batch } = await batches.next();
      if (done === true) {
        recorder.answer(question, 'info', {});
        return;
      }
      const records = recordsOf(batch);
      const next = records.at(-1)[0] + 1;
      const same = isReplaced && id !== undefined && id === (await topicId(client, topic));
      recorder.answer(question, 'ok', {
        records,
        next,
        log: log ?? (same ? `${id}/${topic}-${partition}` : undefined),
      });
      from = next;
      if (over.aborted) return;
    }
  } finally {
    await consumer.close();
  }
}

async function look(client, { plan, recorder, random }) {
  const { topic, partitions, name, isReplaced } = plan;
  const partition = Math.floor(random() * partitions);
  const id = isReplaced ? await topicId(client, topic) : undefined;
  const log = isReplaced ? undefined : `${topic}-${partition}`;
  const ask = recorder.invoke({ kind: 'end', log });
  const [listed] = await client.admin().listOffsets(topic, 'end', [partition]);
  const same = async () => isReplaced && id !== undefined && id === (await topicId(client, topic));
  const found = async () => log ?? ((await same()) ? `${id}/${topic}-${partition}` : undefined);
  recorder.answer(ask, 'ok', { end: listed.offset, log: await found() });

  const from = Math.floor(random() * random() * (listed.offset + 1));
  const question = recorder.invoke({ kind: 'poll', session: `${name}.${++sessions}`, log, from, toEnd: true });
  const consumer = client.consumer({ topics: [{ topic, partitions: [{ partition, from }] }] });
  try {
    const records = [];
    for await (const batch of consumer.batches()) records.push(...recordsOf(batch));
    recorder.answer(question, 'ok', { records, next: (records.at(-1)?.[0] ?? from - 1) + 1, log: await found() });
  } finally {
    await consumer.close();
  }
  await pause(random() * 10);
}

function recordsOf({ cursor }) {
  const records = [];
  while (cursor.next()) records.push([cursor.offset, textOf(cursor.value())]);
  return records;
}

/** Behind the space stands padding. */
function textOf(value) {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString().split(' ', 1)[0];
}
