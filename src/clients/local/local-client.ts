import type { Consumer, ConsumerOptions } from '../consumer.js';
import type { GroupConsumer, GroupConsumerOptions } from '../group-consumer.js';
import { LocalConsumer } from './local-consumer.js';
import { LocalGroupConsumer } from './local-group-consumer.js';
import { ProducingClient } from './producing-client.js';

/** Topics in a directory. */
export class LocalClient extends ProducingClient {
  override consumer(options: GroupConsumerOptions): GroupConsumer;
  override consumer(options: ConsumerOptions): Consumer;
  override consumer(options: ConsumerOptions | GroupConsumerOptions): Consumer {
    this.mustBeOpen();
    const onClose = (closing: Promise<void>): void => this.closes(this.consumers, consumer, closing);
    const consumer: Consumer =
      'group' in options
        ? new LocalGroupConsumer(this.store, options, this.seams, () => this.groups(), onClose)
        : new LocalConsumer(this.store, options, this.seams, onClose);
    this.consumers.add(consumer);
    return consumer;
  }
}
