/** What a command of the command line touches, in memory. It is not at a terminal. */
import type { CliContext, OpenClientOptions } from '../../../src/cli/cli-context.js';
import { BlockOutput } from '../../../src/cli/output.js';
import type { Client } from '../../../src/clients/client.js';

export interface Surroundings {
  /** The working directory, and the home. */
  readonly root: string;
  readonly now: () => number;
  /** Standard input. */
  readonly input: string;
}

export class MemoryContext implements CliContext {
  /** Standard error. */
  complaint = '';
  readonly env: CliContext['env'];
  readonly cwd: string;
  readonly clock: CliContext['clock'];
  readonly signals = { signal: new AbortController().signal, received: undefined };
  readonly stdin: CliContext['stdin'];
  readonly stdout: BlockOutput;
  readonly stderr: CliContext['stderr'];
  readonly openClient: (options: OpenClientOptions) => Promise<Client>;

  constructor(
    { root, now, input }: Surroundings,
    say: (text: string) => void,
    openClient: (options: OpenClientOptions) => Promise<Client>,
  ) {
    this.env = { HOME: root };
    this.cwd = root;
    this.clock = { now };
    this.openClient = openClient;
    this.stdin = {
      isTerminal: false,
      name: 'standard input',
      async *chunks() {
        if (input !== '') yield Buffer.from(input);
      },
    };
    const write = async (bytes: Buffer) => say(bytes.toString('latin1'));
    this.stdout = new BlockOutput({ write }, { isTerminal: false });
    this.stderr = {
      isTerminal: false,
      columns: undefined,
      write: (text: string) => {
        this.complaint += text;
      },
    };
  }

  ask(question: string): Promise<boolean> {
    return Promise.reject(new Error(`nobody is there to answer: ${question}`));
  }
}
