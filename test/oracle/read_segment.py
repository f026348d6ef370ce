#!/usr/bin/python3
"""Print a Kafka log segment (or any concatenation of record batches) as JSON lines.

Independent oracle: record decoding, decompression and CRC checks are done by
python3-kafka's `kafka.record` package; the batch header fields it does not
expose are unpacked here with struct.

Needs Debian's packages python3-kafka python3-lz4 python3-snappy python3-zstandard
python3-xxhash and their interpreter: /usr/bin/python3, not another one on the path.

usage: read_segment.py FILE.log [...]      (- reads standard input)

Line types:  batch, record, error, end.  int64 fields are decimal STRINGS, bytes
are lower-case hex, bytes longer than 4096 are {"length", "sha256"}.
"""
import hashlib
import json
import struct
import sys

import kafka.record.default_records as _default_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.legacy_records import LegacyRecordBatch


def _zstd_decode(payload):
    # Kafka's zstd frames carry no content size; kafka-python's own helper then
    # gives up at 1 MiB, so stream instead.
    import zstandard
    return zstandard.ZstdDecompressor().decompressobj().decompress(bytes(payload))


_default_records.zstd_decode = _zstd_decode

CODECS = {0: 'none', 1: 'gzip', 2: 'snappy', 3: 'lz4', 4: 'zstd'}
TSTYPE = {0: 'CreateTime', 1: 'LogAppendTime'}
CONTROL = {0: 'ABORT', 1: 'COMMIT', 2: 'LEADER_CHANGE', 3: 'SNAPSHOT_HEADER',
           4: 'SNAPSHOT_FOOTER', 5: 'KRAFT_VERSION', 6: 'KRAFT_VOTERS'}
V2 = struct.Struct('>qiibIhiqqqhii')     # 61 bytes


def blob(data):
    if data is None:
        return None
    data = bytes(data)
    if len(data) > 4096:
        return {'length': len(data), 'sha256': hashlib.sha256(data).hexdigest()}
    return data.hex()


def wrap32(first, delta):
    """Sequence numbers wrap from 2**31-1 to 0."""
    if first == -1:
        return -1
    return (first + delta) & 0x7fffffff if first + delta > 0x7fffffff else first + delta


def read_v2(buf, pos, size, out):
    (base, _len, epoch, magic, crc, attrs, last_delta, base_ts, max_ts,
     pid, pepoch, bseq, count) = V2.unpack_from(buf, pos)
    batch = DefaultRecordBatch(buf[pos:pos + size])
    try:
        ok = bool(batch.validate_crc())
    except Exception:
        ok = False
    control = bool(attrs & 0x20)
    out({'type': 'batch', 'position': pos, 'sizeInBytes': size, 'magic': magic,
         'baseOffset': str(base), 'lastOffset': str(base + last_delta),
         'partitionLeaderEpoch': epoch, 'crc': crc, 'crcOk': ok,
         'compression': CODECS.get(attrs & 7, 'unknown-%d' % (attrs & 7)),
         'timestampType': TSTYPE[(attrs >> 3) & 1],
         'isTransactional': bool(attrs & 0x10), 'isControl': control,
         'deleteHorizonMs': str(base_ts) if attrs & 0x40 else None,
         'maxTimestamp': str(max_ts), 'producerId': str(pid), 'producerEpoch': pepoch,
         'baseSequence': bseq, 'lastSequence': wrap32(bseq, last_delta), 'recordCount': count})
    if not ok:
        return
    if count == 0:
        return
    for rec in batch:
        line = {'type': 'record', 'offset': str(rec.offset), 'timestamp': str(rec.timestamp),
                'sequence': wrap32(bseq, rec.offset - base) if bseq >= 0 else -1,
                'key': blob(rec.key), 'value': blob(rec.value),
                'headers': [[k, blob(v)] for k, v in rec.headers]}
        if control:
            _ver, kind = struct.unpack('>hh', bytes(rec.key)[:4])
            line['control'] = {'type': CONTROL.get(kind, 'UNKNOWN')}
            if kind in (0, 1):
                line['control']['coordinatorEpoch'] = struct.unpack('>hi', bytes(rec.value)[:6])[1]
        out(line)


def read_legacy(buf, pos, size, magic, out):
    offset, _len, _crc, _m, attrs = struct.unpack_from('>qiIbb', buf, pos)
    batch = LegacyRecordBatch(buf[pos:pos + size], magic)
    try:
        ok = bool(batch.validate_crc())
    except Exception:
        ok = False
    ts = struct.unpack_from('>q', buf, pos + 18)[0] if magic == 1 else -1
    out({'type': 'batch', 'position': pos, 'sizeInBytes': size, 'magic': magic,
         'lastOffset': str(offset), 'crcOk': ok, 'compression': CODECS.get(attrs & 7),
         'timestampType': 'NoTimestampType' if magic == 0 else TSTYPE[(attrs >> 3) & 1],
         'maxTimestamp': str(ts)})
    if not ok:
        return
    for rec in batch:
        out({'type': 'record', 'offset': str(rec.offset),
             'timestamp': str(-1 if rec.timestamp is None else rec.timestamp), 'sequence': -1,
             'key': blob(rec.key), 'value': blob(rec.value), 'headers': []})


def read(buf, out):
    pos, error = 0, None
    while len(buf) - pos >= 17:                 # enough to see the length and the magic
        length = struct.unpack_from('>i', buf, pos + 8)[0]
        if length < 14:                         # smallest legacy record
            error = 'CorruptRecordException'
            break
        size = 12 + length
        magic = struct.unpack_from('>b', buf, pos + 16)[0]
        if not 0 <= magic <= 2:
            error = 'CorruptRecordException'
            break
        if pos + size > len(buf):               # partial trailing batch: ignored by readers
            break
        try:
            if magic == 2:
                read_v2(buf, pos, size, out)
            else:
                read_legacy(buf, pos, size, magic, out)
        except Exception as exc:                # noqa: BLE001
            out({'type': 'error', 'class': type(exc).__name__, 'message': str(exc)})
        pos += size
    out({'type': 'end', 'validBytes': pos, 'fileSize': len(buf), 'error': error})


def main(argv):
    for name in argv or ['-']:
        data = sys.stdin.buffer.read() if name == '-' else open(name, 'rb').read()
        read(data, lambda line: print(json.dumps(line, separators=(',', ':'))))


if __name__ == '__main__':
    main(sys.argv[1:])
