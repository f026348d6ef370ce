// Deletes the topic and makes it again while others write and read it.
import { pause } from './recorder.mjs';

export async function topicId(client, topic) {
  const topics = await client.admin().listTopics();
  return topics.find((listing) => listing.topic === topic)?.topicId;
}

export async function replaceTopic(client, { plan, random, over }) {
  const { topic, partitions, configs } = plan;
  const admin = client.admin();
  while (!over.aborted) {
    await pause(20 + random() * 80);
    await admin.deleteTopic(topic);
    await admin.createTopic({ topic, partitions, configs });
  }
}
