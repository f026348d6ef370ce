// Compacts the topic again and again while others write and read it. No two records have the same key, so none may go;
// but small segments become one, which is written anew each time.
import { pause } from './recorder.mjs';

export async function compactTopic(client, { plan, recorder, random, over }) {
  const admin = client.admin();
  await pause(50);
  // Writers that have begun go on with small segments.
  await admin.alterConfigs(plan.topic, { set: { 'segment.bytes': '1000000' } });
  while (!over.aborted) {
    await pause(random() * 3);
    const done = await admin.compactTopic(plan.topic, { force: true });
    for (const { skipped, segmentsBefore, segmentsAfter } of done) {
      if (skipped === undefined) recorder.event({ action: 'compacted', segmentsBefore, segmentsAfter });
    }
  }
}
