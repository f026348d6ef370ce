import type { MemberCommit } from './member-worker.js';
import type { TopicsView } from './partition-counts.js';

/**
 * Which of some commits are of topics that are still there. A topic is deleted in this order: nobody sees it any more,
 * groups forget it, its files go; and groups forget the name once more before it is made anew. So whoever sees the
 * topic while it has the append lock may commit: whatever deletes the topic comes later, and forgets the commit.
 */
export class CurrentTopics {
  readonly #topics: Pick<TopicsView, 'ids'>;
  readonly #commits: readonly MemberCommit[];
  #ids: ReadonlyMap<string, string> = new Map();

  constructor(topics: Pick<TopicsView, 'ids'>, commits: readonly MemberCommit[]) {
    this.#topics = topics;
    this.#commits = commits;
  }

  /** To be awaited under the append lock. */
  readonly lookUp = async (): Promise<void> => {
    if (this.#commits.length === 0) return;
    this.#ids = await this.#topics.ids(new Set(this.#commits.map(({ topic }) => topic)));
  };

  /** The others are nobody's any more. */
  get commits(): readonly MemberCommit[] {
    return this.#commits.filter(({ topic, topicId }) => topicId === undefined || this.#ids.get(topic) === topicId);
  }
}
