import type { TopicDescription } from '../clients/admin.js';

/** The configs that are set on the topic itself, by name: what another topic like it is made with. */
export function ownConfigs({ configs }: Pick<TopicDescription, 'configs'>): Record<string, string> {
  const own = configs.filter(({ source }) => source === 'topic');
  return Object.fromEntries(own.map(({ name, value }) => [name, value]));
}
