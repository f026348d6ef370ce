/** `klog produce`: opens what is read and what is written, lets the records through, and says what became of them. */
import type { Client } from '../../clients/client.js';
import type { Producer, ProducerOptions } from '../../clients/producer.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import { type Input, openInputFile, withPrompt } from '../input.js';
import { counted, printJson } from '../listing.js';
import { detail, notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { Progress } from '../progress.js';
import { loadValueCodec } from '../record-format/value-format.js';
import { sizeText } from '../size-text.js';
import { ByteCarry } from './byte-carry.js';
import { DelimitedLines, type LineSink } from './delimited-lines.js';
import { FieldLines, PlainLines } from './line-sinks.js';
import { type LinesRun, produceLines } from './produce-lines.js';
import type { ProduceOptions, ProduceSource } from './produce-options.js';
import { durableLine, ProduceTally, summaryLine, tallyObject } from './produce-tally.js';
import { RateLimit } from './rate-limit.js';
import { isPlain, type RecordFields } from './record-fields.js';
import { ANY_PARTITION, type RecordTarget, withFile } from './record-target.js';
import type { RecordReports } from './reported-records.js';
import { SkippedRecords, SkippingLines } from './skipped-records.js';
import { teeChunks } from './tee-chunks.js';
import { checkPartition, TopicTargets } from './topic-targets.js';
import { produceWhole } from './whole-input.js';

/** The producer's own default; batches larger than a quarter of it get more. */
const BUFFER_BYTES = 16 * 1024 * 1024;

const NO_BYTES = Buffer.alloc(0);

type LineRun = Pick<LinesRun, 'sink' | 'setTime' | 'maxLineBytes'>;

export async function runProduce(options: ProduceOptions, context: CliContext): Promise<ExitCode> {
  const run = new ProduceRun(options, context);
  // Whatever is wrong with the request is found before anything is made.
  await run.prepare();
  const topics = options.topic === undefined ? [] : [options.topic];
  const { topic, partition } = options;
  const beforeCreate = () => {
    if (topic !== undefined) checkPartition(topic, 1, partition);
  };
  return withClient(
    options,
    context,
    { create: options.create, topics, beforeCreate, consumes: false },
    (client, location) => run.run(client, location.directory),
  );
}

class ProduceRun {
  readonly #options: ProduceOptions;
  readonly #context: CliContext;
  readonly #tally = new ProduceTally();
  readonly #inputs: Input[] = [];
  #fields!: RecordFields;
  #reports: RecordReports | undefined;
  #skipped: SkippedRecords | undefined;
  /** What an idle input would be told with its next line only. */
  readonly #failed = new AbortController();
  /** Ends the input: a signal, or that nothing more can be stored. */
  #ending!: AbortSignal;
  /** Of what was read, what a signal left out. */
  #leftOut = 0;
  /** The topic is there: from now on there is something to tell. */
  #hasBegun = false;

  constructor(options: ProduceOptions, context: CliContext) {
    this.#options = options;
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const options = this.#options;
    const context = this.#context;
    const { source, report } = options;
    if (options.topic !== undefined) validateTopicName(options.topic);
    this.#fields = await recordFields(options);
    if (report !== undefined) {
      const forTerminal = context.stdout.isTerminal;
      // A printer, and all that formats know, is needed by few.
      const { createRecordPrinter } = await import('../record-format/create-printer.js');
      const { RecordReports } = await import('./reported-records.js');
      const printer = createRecordPrinter({ format: report, forTerminal, now: () => context.clock.now() });
      context.stdout.isImmediate = true;
      this.#reports = new RecordReports(
        printer,
        context.stdout,
        (run) => this.#tally.add(run),
        () => this.#failed.abort(),
      );
    }
    if (source.kind === 'files') {
      for (const path of source.paths) this.#inputs.push(await openInputFile(path, context.stdin));
    } else if (source.kind !== 'value') {
      this.#inputs.push(await openInputFile(source.path ?? '-', context.stdin));
    }
    if (options.skipBad) this.#skipped = await SkippedRecords.open(options.deadLetter);
  }

  async run(client: Client, directory: string): Promise<ExitCode> {
    const options = this.#options;
    const context = this.#context;
    const began = performance.now();
    const elapsed = () => performance.now() - began;
    this.#ending = AbortSignal.any([context.signals.signal, this.#failed.signal]);
    const signal = this.#ending;
    const producer = client.producer(producerOptions(options));
    const limit = options.rate === undefined ? undefined : new RateLimit(options.rate, () => performance.now(), signal);
    const tally = this.#tally;
    const reports = this.#reports;
    const onFailed = () => this.#failed.abort();
    const targets = new TopicTargets(options, context, {
      client,
      producer,
      tally,
      directory,
      reports,
      onFailed,
      limit,
    });
    const isTyped = options.source.kind !== 'value' && this.#inputs[0]?.isTerminal === true;
    const loudness = isTyped ? { ...options, quiet: true } : options;
    const progress = new Progress(loudness, context, () => summaryLine(tally, elapsed()));
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#produce(client, targets);
    } catch (error) {
      failure = { error };
    }
    failure = (await this.#finish(producer)) ?? failure;
    progress.stop();
    // What follows begins a line of its own, not that of the prompt.
    if (isTyped && context.stderr.isTerminal) context.stderr.write('\n');
    if (this.#hasBegun) this.#report(elapsed(), failure !== undefined);
    if (failure !== undefined) throw failure.error;
    return 0;
  }

  async #produce(client: Client, targets: TopicTargets): Promise<void> {
    const { topic, source } = this.#options;
    const target = topic === undefined ? undefined : await targets.open(topic);
    this.#hasBegun = true;
    if (source.kind === 'records') {
      await this.#produceRecords(source, targets, target);
      return;
    }
    const isLines = source.kind === 'lines';
    const delimiter = isLines ? source.delimiter : NO_BYTES;
    const lineTarget = lineTargetOf(target!, this.#fields, isLines ? source.split : undefined, delimiter);
    const sink = this.#skipped === undefined ? lineTarget : new SkippingLines(lineTarget, this.#skipped, delimiter);
    const setTime = () => lineTarget.setTime(this.#context.clock.now());
    const maxLineBytes = () => maxMessageBytes(client, topic!);
    setTime();
    if (isLines) {
      await this.#produceLines(new DelimitedLines(delimiter, sink), { sink, setTime, maxLineBytes });
    } else if (source.kind === 'files') {
      lineTarget.noun = 'file';
      await this.#produceFiles({ sink, setTime, maxLineBytes });
    } else {
      await this.#produceValue(source.value, source.isStdinIgnored, sink);
    }
  }

  async #produceRecords(
    source: ProduceSource & { readonly kind: 'records' },
    targets: TopicTargets,
    topic: RecordTarget | undefined,
  ): Promise<void> {
    const { reader, topicFromInput, partitionFromInput, isLined } = source;
    const input = this.#inputs[0]!;
    const { produceRecords } = await import('./produce-records.js');
    this.#leftOut = await produceRecords({
      chunks: this.#chunks(input),
      reader,
      targets,
      topic,
      topicFromInput,
      partitionFromInput,
      isLined,
      fields: this.#fields,
      skipped: this.#skipped,
      now: () => this.#context.clock.now(),
      file: fileName(input, this.#context),
      isPaced: this.#options.rate !== undefined,
      signal: this.#ending,
    });
  }

  async #produceLines(lines: DelimitedLines, run: LineRun): Promise<void> {
    const input = this.#inputs[0]!;
    const [chunks, file] = [this.#chunks(input), fileName(input, this.#context)];
    const isPaced = this.#options.rate !== undefined;
    this.#leftOut = await produceLines({ ...run, chunks, lines, file, isPaced, signal: this.#ending });
  }

  /** Each file is one record. */
  async #produceFiles({ sink, setTime, maxLineBytes: maxBytes }: LineRun): Promise<void> {
    const signal = this.#ending;
    for (const input of this.#inputs) {
      setTime();
      const run = { chunks: this.#chunks(input), carry: new ByteCarry(), sink, maxBytes, signal };
      await produceWhole(run).catch((error: unknown) => {
        throw withFile(error, input.name);
      });
    }
  }

  async #produceValue(value: Buffer, isStdinIgnored: boolean, sink: LineSink): Promise<void> {
    if (!sink.line(value, 0, value.length)) await sink.ready();
    if (!isStdinIgnored) return;
    detail(this.#options, this.#context, 'wrote a tombstone; standard input was not read (--lines - reads it)');
  }

  #chunks(input: Input): AsyncIterable<Uint8Array> {
    const context = this.#context;
    let chunks = input.chunks(this.#ending);
    if (input.isTerminal && context.stderr.isTerminal) chunks = withPrompt(chunks, () => context.stderr.write('> '));
    return this.#options.tee ? teeChunks(chunks, context.stdout) : chunks;
  }

  /** Whatever was taken gets its chance; the failure is why some of it did not make it. */
  async #finish(producer: Producer): Promise<{ readonly error: unknown } | undefined> {
    let failure: { readonly error: unknown } | undefined;
    const attempt = async (work: () => Promise<void> | undefined): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failure ??= { error };
      }
    };
    await attempt(() => producer.flush());
    await attempt(() => this.#reports?.finish());
    if (this.#options.tee) await attempt(() => this.#context.stdout.flush());
    await attempt(() => this.#skipped?.close());
    return failure;
  }

  #report(elapsedMs: number, hasFailed: boolean): void {
    const options = this.#options;
    const context = this.#context;
    const tally = this.#tally;
    const { received } = context.signals;
    if (this.#skipped !== undefined && this.#skipped.count > 0) {
      const kept = options.deadLetter === undefined ? '' : `, kept in ${options.deadLetter}`;
      notice(options, context, `skipped ${counted(this.#skipped.count, 'bad record')}${kept}`);
    }
    if (options.json) {
      const document = tallyObject(tally, options.topic, elapsedMs);
      printJson(context, this.#skipped === undefined ? document : { ...document, skipped: this.#skipped.count });
      return;
    }
    if (received !== undefined) {
      const size = sizeText(this.#leftOut);
      const noun = options.source.kind === 'lines' ? 'line' : 'record';
      const what = options.rate === undefined ? `an unfinished ${noun} of ${size}` : `${size} that had been read`;
      const cut = this.#leftOut === 0 ? '' : `; ${what} was left out`;
      notice(options, context, `stopped by ${received}: ${durableLine(tally, options.acks)}${cut}`);
    } else if (hasFailed) {
      // Part of the error, so --quiet does not silence it.
      context.stderr.write(`${durableLine(tally, options.acks)}\n`);
    } else if (context.stderr.isTerminal) {
      notice(options, context, summaryLine(tally, elapsedMs));
    } else {
      detail(options, context, summaryLine(tally, elapsedMs));
    }
  }
}

function lineTargetOf(
  target: RecordTarget,
  fields: RecordFields,
  split: ConstructorParameters<typeof FieldLines>[2],
  delimiter: Buffer,
): PlainLines | FieldLines {
  if (split === undefined && isPlain(fields)) return new PlainLines(target, fields.timestamp, delimiter);
  return new FieldLines(target, fields, split, delimiter);
}

async function recordFields(options: ProduceOptions): Promise<RecordFields> {
  const { key, headers, partition = ANY_PARTITION, timestamp, tombstone, valueFormat } = options;
  return {
    key,
    headers,
    partition,
    timestamp,
    emptyIsNull: tombstone,
    encodeValue: valueFormat === 'raw' ? undefined : (await loadValueCodec(valueFormat)).encode,
  };
}

function producerOptions(options: ProduceOptions): ProducerOptions {
  const { acks, compression, lingerMs, batchBytes, partitioner } = options;
  return {
    acks,
    ...(compression === undefined ? {} : { compression }),
    ...(lingerMs === undefined ? {} : { lingerMs }),
    ...(batchBytes === undefined ? {} : { batchBytes, bufferBytes: Math.max(BUFFER_BYTES, batchBytes * 4) }),
    ...(partitioner === undefined ? {} : { partitioner }),
  };
}

async function maxMessageBytes(client: Client, topic: string): Promise<number> {
  const { configs } = await client.admin().describeTopic(topic);
  const limit = Number(configs.find(({ name }) => name === 'max.message.bytes')?.value);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

/** How errors name the input: standard input needs no name. */
function fileName(input: Input, context: CliContext): string | undefined {
  return input === context.stdin ? undefined : input.name;
}
