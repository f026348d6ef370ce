import type { Command } from 'commander';
import type { ConsumerOptions, CorruptRange } from '../../clients/consumer.js';
import type { CliContext } from '../cli-context.js';
import { counted } from '../listing.js';
import { type Loudness, notice } from '../notices.js';

export interface DamageOptions extends Loudness {
  readonly skipCorrupt?: boolean;
}

export function addDamageOption(command: Command): void {
  command.option('--skip-corrupt', 'go on behind damage, and say how much was passed over');
}

/** `--skip-corrupt`: what a consumer is told of it, and what the user is told of what was passed over. */
export class SkippedDamage {
  readonly #options: DamageOptions;
  readonly #context: Pick<CliContext, 'stderr'>;
  #places = 0;

  constructor(options: DamageOptions, context: Pick<CliContext, 'stderr'>) {
    this.#options = options;
    this.#context = context;
  }

  get consumerOptions(): Required<Pick<ConsumerOptions, 'skipCorrupt' | 'onCorrupt'>> {
    return {
      skipCorrupt: this.#options.skipCorrupt === true,
      onCorrupt: (damage) => {
        this.#places += 1;
        notice(this.#options, this.#context, describeDamage(damage));
      },
    };
  }

  /** The count, if there is one. */
  report(): void {
    if (this.#places === 0) return;
    notice(this.#options, this.#context, `passed over ${counted(this.#places, 'damaged place')}`);
  }
}

function describeDamage(damage: CorruptRange): string {
  const { topic, partition, offset, file, position, length, reason } = damage;
  const where = file === undefined ? '' : ` (${file} at ${position})`;
  const size = length < 0 ? '' : `${length} bytes of `;
  return `passed over ${size}${topic}:${partition} from offset ${offset} on: ${reason}${where}`;
}
