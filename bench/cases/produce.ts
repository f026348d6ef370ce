import { commandPart } from '../bench-case.js';

const COPY = 'cat in > out; sync out';
const FILE = 'klog produce < in';
const PIPE = 'cat in | klog produce';
const KEYED = 'klog produce -K , < in, 8 partitions';
const KCAT = 'kcat -P < in, into its mock broker';
const REDIS = 'redis XADD, appendfsync always, a tenth of them';

/** Redis takes a tenth of the records: it is so much slower that the others would wait for it. */
const REDIS_SHARE = 10;

export const produce = commandPart({
  name: 'produce',
  question:
    'Lines into a new topic, acknowledged when they are on the disk, beside copying them and a sync, and beside rivals.',
  cases({ records, input, measured, klog }) {
    const prepare = 'rm -rf fresh copied; sync';
    const check = {
      command: `${klog} consume lines -d fresh | cmp - ${input} && echo same`,
      expected: 'same\n',
    };
    const into = `${measured}${klog} produce lines -d fresh`;
    const some = Math.ceil(records / REDIS_SHARE);
    return [
      {
        title: COPY,
        command: `${measured}cat ${input} > copied; sync copied`,
        prepare,
        check: { command: `cmp copied ${input} && echo same`, expected: 'same\n' },
        records,
        isBaseline: true,
      },
      {
        // Its broker is a thread of its own, keeps the last few MB in memory and acknowledges what it has received.
        title: KCAT,
        command: `${measured}kcat -P -t lines -b mock:1 -X test.mock.num.brokers=1 < ${input}`,
        needs: 'kcat',
        prepare,
        records,
      },
      { title: FILE, command: `${into} < ${input}`, prepare, check, records },
      { title: PIPE, command: `cat ${input} | ${into}`, prepare, check, records },
      // What the pipe takes by itself.
      { title: 'cat in | cat > /dev/null', command: `cat ${input} | ${measured}cat > /dev/null`, records },
      {
        title: 'klog produce --acks written < in',
        command: `${into} --acks written < ${input}`,
        prepare,
        check,
        records,
      },
      {
        // The lines are JSON: up to the first comma they are `{"id":N`.
        title: KEYED,
        command: `${measured}${klog} produce keyed -d fresh -K , < ${input}`,
        prepare: `${prepare}; ${klog} topic create keyed -p 8 -d fresh > keyed 2>&1; sync`,
        check: {
          command: `${klog} consume keyed -d fresh -K , | sort -S 200M | cmp - <(sort -S 200M ${input}) && echo same`,
          expected: 'same\n',
        },
        records,
      },
      {
        title: REDIS,
        command: `${withRedis('redis-cli -s redis/sock --pipe < redis.resp > redis.out')}`,
        needs: 'redis-server',
        prepare: `${prepare}; rm -rf redis; mkdir redis; [ -f redis.resp ] || head -n ${some} ${input} | ${AS_XADD} > redis.resp`,
        check: { command: 'grep -o "errors: 0" redis.out', expected: 'errors: 0\n' },
        records: some,
      },
    ];
  },
  targets: () => [
    { of: FILE, beside: KCAT, atMost: 0.6 },
    { of: FILE, beside: COPY, atMost: 3 },
    { of: PIPE, beside: FILE, atMost: 1.15 },
    { of: KEYED, beside: FILE, atMost: 1.6 },
    { what: 'memory of klog produce < in', of: FILE, by: 'peak', atMost: 150 },
  ],
});

/** Each line as a command of redis' protocol. */
const AS_XADD = `awk '{ printf "*5\\r\\n$4\\r\\nXADD\\r\\n$1\\r\\ns\\r\\n$1\\r\\n*\\r\\n$1\\r\\nv\\r\\n$%d\\r\\n%s\\r\\n", length($0), $0 }'`;

/** The server lives and ends with the command: its CPU is counted, and its start is nothing beside the rest. */
function withRedis(client: string): string {
  // Its directory is where the socket lies, too.
  const server = `redis-server --port 0 --unixsocket sock --save '' --appendonly yes --appendfsync always --dir redis`;
  const untilUp = 'for i in $(seq 500); do redis-cli -s redis/sock ping > redis.out 2>&1 && break; sleep 0.01; done';
  return `${server} > redis.log & ${untilUp}; ${client}; redis-cli -s redis/sock shutdown nosave; wait`;
}
