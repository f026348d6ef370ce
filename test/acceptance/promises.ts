/**
 * The contract of the command line, a promise a row: what is typed, where, and what comes back. Every row that fails says so in
 * one line on standard error, `klog: …`, and leaves nothing behind where there was no log.
 */
export interface PromiseRow {
  readonly promise: string;
  /** Words as a shell hands them over; a string is split at spaces. */
  readonly line: string | readonly string[];
  readonly stdin?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly code: number;
  readonly out?: string | RegExp | undefined;
  readonly err?: string | RegExp | undefined;
}

/** There is no log, and none may be made by what fails. */
export const WITHOUT_A_LOG: readonly PromiseRow[] = [
  { promise: 'topic list is empty, exit 0 with a note', line: 'topic list', code: 0, out: '', err: /no log/ },
  { promise: 'anything that names a topic: 4', line: 'consume t', code: 4, err: /unknown topic 't'/ },
  { promise: 'anything that names a topic: 4', line: 'topic describe t', code: 4 },
  { promise: 'anything that names a topic: 4', line: 'get t@0', code: 4 },
  { promise: 'anything that names a topic: 4', line: 'copy t u', code: 4 },
  { promise: 'anything that names a topic: 4', line: 'log dump t', code: 4 },
  { promise: 'an illegal name: 2', line: 'topic create a/b', code: 2, err: /holds "\/"/ },
  { promise: 'an illegal name: 2', line: ['topic', 'create', ''], code: 2, err: /is empty/ },
  { promise: 'an illegal name beside a legal one: nothing is made', line: 'topic create ok a/b', code: 2 },
  { promise: 'an illegal name: 2', line: 'produce a/b', code: 2 },
  { promise: 'an illegal name: 2', line: 'consume a/b', code: 2 },
  { promise: 'an illegal name: 2', line: 'copy t a/b', code: 2 },
  { promise: 'an illegal name: 2', line: 'replay t --into a/b', code: 2 },
  { promise: 'a bad value: 2', line: 'topic create t -p 0', code: 2 },
  { promise: 'a bad value: 2', line: 'topic create t -p 99999', code: 2 },
  { promise: 'a bad value: 2', line: 'topic create t -c retention.ms=soon', code: 2 },
  {
    promise: 'a misspelt name gets the nearest one',
    line: 'topic create t -c retention.mss=1',
    code: 2,
    err: /retention\.ms/,
  },
  {
    promise: '--dry-run wherever something changes',
    line: 'topic create t -p 2 --dry-run',
    code: 0,
    err: /would create topic 't' with 2 partitions/,
  },
  { promise: 'internal topics need --force', line: 'topic create __consumer_offsets', code: 2, err: /--force/ },
  { promise: 'internal topics need --force', line: 'produce __transaction_state', code: 2, err: /--force/ },
  {
    promise: 'internal topics need --force',
    line: 'topic apply -',
    stdin: 'topics: [{name: __consumer_offsets}]',
    code: 2,
    err: /--force/,
  },
  {
    promise: '-p overrides; not there: 4',
    line: 'produce t -p 1 --value x',
    code: 4,
    err: 'klog: topic t has no partition 1: it has partition 0 only (t:1)\n',
  },
  {
    promise: 'one record, not the last of several',
    line: 'produce t --value a --value b',
    code: 2,
    err: /given twice/,
  },
  { promise: '--no-create refuses', line: 'produce t --no-create', code: 4 },
  { promise: '-K with -k: 2', line: 'produce t -K : -k a', code: 2 },
  { promise: '-K with -J: 2', line: 'produce t -K : -J', code: 2 },
  { promise: 'an unknown escape: 2', line: ['produce', 't', '-D', '\\q'], code: 2 },
  { promise: 'an empty delimiter: 2', line: ['produce', 't', '-D', ''], code: 2 },
  { promise: 'a bare number is no duration: 2', line: 'produce t --linger 5', code: 2, err: /5s or 5ms/ },
  { promise: 'a bare number is no duration: 2', line: 'consume t --timeout 5', code: 2 },
  {
    promise: 'a file that is not there: 1',
    line: 'produce t --file nope',
    code: 1,
    err: 'klog: reading nope: no such file or directory\n',
  },
  { promise: 'a directory where a file belongs: 1', line: 'produce t --file /', code: 1, err: /it is a directory/ },
  { promise: 'a directory where a file belongs: 1', line: 'import /', code: 1, err: /it is a directory/ },
  { promise: 'a file that is not there: 1', line: 'import nope', code: 1 },
  { promise: 'bad input data: 3', line: 'topic apply -', stdin: 'topics: 5', code: 3 },
  { promise: 'an illegal name: 2', line: 'topic apply -', stdin: 'topics: [{name: a/b}]', code: 2 },
  { promise: 'a bad value: 2', line: 'consume t -o 1:2:3', code: 2 },
  { promise: 'a bad value: 2', line: 'consume -r (', code: 2, err: /no regular expression/ },
  { promise: '-f with -K: 2', line: 'consume t -f %v -K :', code: 2 },
  {
    promise: 'waiting for a topic makes no log; without -n: 0',
    line: 'consume t --wait --timeout 50ms',
    code: 0,
    out: '',
  },
  { promise: '5 if it got fewer', line: 'consume t --wait --timeout 50ms -n 1', code: 5 },
  { promise: 'a path that cannot be a directory: 1', line: '-d /dev/null topic list', code: 1 },
  { promise: 'both -d and -b: 2', line: '-d a -b b topic list', code: 2 },
  {
    promise: 'both variables and neither flag: 2',
    line: 'topic list',
    env: { KLOG_DIR: 'a', KLOG_BROKERS: 'b' },
    code: 2,
  },
  { promise: 'unknown flag: 2', line: 'topic list --nope', code: 2 },
  { promise: 'missing argument: 2', line: 'copy t', code: 2 },
  {
    promise: 'a setting of the environment is named',
    line: 'produce t',
    env: { KLOG_ACKS: '7' },
    code: 2,
    err: /^klog: KLOG_ACKS/,
  },
];

/** Topics: `t` with the records v0 to v19, `m` with three partitions and nine records. */
export const ON_A_LOG: readonly PromiseRow[] = [
  { promise: 'N = end: nothing, 0', line: 'consume t -o 20', code: 0, out: '' },
  {
    promise: 'N outside [start, end]: 4',
    line: 'consume t -o 21',
    code: 4,
    err: 'klog: offset 21 of t:0 is out of range: the log begins at 0 and ends at 20\n',
  },
  { promise: 'with several partitions only if outside in all: 4', line: 'consume m -o 9', code: 4 },
  { promise: '-N beyond the log clamps', line: 'consume t -o -100 -n 1', code: 0, out: 'v0\n' },
  { promise: '+N beyond the log clamps', line: 'consume t -o +100', code: 0, out: '' },
  { promise: 'ranges are half-open', line: 'consume t -o 3:5', code: 0, out: 'v3\nv4\n' },
  { promise: 'a time after the last record: nothing, 0', line: 'consume t -o @2099-01-01', code: 0, out: '' },
  { promise: 'partitions not named are not read', line: 'consume m -o 1=2', code: 0, out: 'v7\n' },
  {
    promise: 'options given several times take one value each',
    line: 'consume m -p 0 -p 2 -n 9',
    code: 0,
    out: 'v0\nv3\nv6\nv2\nv5\nv8\n',
  },
  {
    promise: 'a range that ends before it begins: 2',
    line: 'consume t --from 5 --to 3',
    code: 2,
    err: /ends before it begins/,
  },
  {
    promise: 'a file in place of a directory: 1',
    line: 'consume t --dump /dev/null',
    code: 1,
    err: /it is a file, not a directory/,
  },
  {
    promise: 'where it failed is said once',
    line: 'replay t --exec false --retries 0',
    code: 1,
    err: "0 records handled\nklog: 'false' failed on t:0@0: exit code 1\n",
  },
  { promise: 'T[P] is understood, too', line: ['get', 't[0]@3'], code: 0, out: 'v3\n' },
  { promise: 'tail: the last by timestamp', line: 'tail t -n 2', code: 0, out: 'v18\nv19\n' },
  { promise: 'get: 4 where there is none', line: 'get t@99', code: 4 },
  { promise: 'an unknown topic: 4, and the nearest name', line: 'consume tt', code: 4, err: /Did you mean/ },
  {
    promise: 'an unknown partition: 4',
    line: 'consume m:7',
    code: 4,
    err: 'klog: topic m has no partition 7: it has partitions 0 to 2 (m:7)\n',
  },
  {
    promise: 'an unknown partition: 4',
    line: 'topic offsets t:1',
    code: 4,
    err: 'klog: topic t has no partition 1: it has partition 0 only (t:1)\n',
  },
  { promise: 'a record without a partition, of several: 2', line: 'get m@1', code: 2 },
  { promise: 'a topic that exists: 1', line: 'topic create t', code: 1 },
  { promise: 'of several operands some failed: 1', line: 'topic create t new', code: 1 },
  { promise: 'of several operands all alike: theirs', line: 'topic describe x y', code: 4 },
  { promise: 'what asks refuses with 2 where nobody can be asked', line: 'topic delete t', code: 2, err: /-y/ },
  { promise: 'what asks refuses with 2 where nobody can be asked', line: 'topic trim t -o 3', code: 2, err: /-y/ },
  { promise: 'what asks refuses with 2 where nobody can be asked', line: 'erase t@3', code: 2, err: /-y/ },
  {
    promise: 'what asks refuses with 2 where nobody can be asked',
    line: 'topic alter t --set retention.ms=1000',
    code: 2,
    err: /-y/,
  },
  {
    promise: 'a line without the separator: 3 with its number',
    line: 'produce t -K :',
    stdin: 'a:1\nb\n',
    code: 3,
    err: /line 2/,
  },
  {
    promise: 'a bad record: 3, its line and byte',
    line: 'produce t -J',
    stdin: '{"value":"x"}\nno\n',
    code: 3,
    err: /line 2, byte/,
  },
  { promise: '--key-optional: null key', line: 'produce t -K : --key-optional', stdin: 'b\n', code: 0 },
  {
    promise: 'with --json an object on stderr',
    line: 'consume t -o 99 --json',
    code: 4,
    err: /^\{"error":.*"code":"OFFSET_OUT_OF_RANGE","exit":4,"topic":"t","partition":0,"offset":99/,
  },
  { promise: 'internal topics need --force', line: 'copy t __consumer_offsets', code: 2, err: /--force/ },
  { promise: 'internal topics need --force', line: 'replay t --into __consumer_offsets', code: 2, err: /--force/ },
  { promise: 'internal topics need --force', line: 'topic clone t __consumer_offsets', code: 2, err: /--force/ },
  { promise: 'internal topics need --force', line: 'topic alter __consumer_offsets -p 3', code: 2, err: /--force/ },
  { promise: '--force overrides a safety refusal', line: 'topic create __consumer_offsets --force', code: 0 },
  { promise: 'a copy of one partition', line: 'copy m:1 u', code: 0, err: /copied 3 records/ },
  {
    promise: 'topic describe prints what --acks promises',
    line: 'topic describe t',
    code: 0,
    out: /--acks written .*death of klog/,
  },
  {
    promise: 'produce --help prints what --acks promises',
    line: 'produce --help',
    code: 0,
    out: /--acks none .*nothing/,
  },
];
