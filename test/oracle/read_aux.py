#!/usr/bin/python3
"""Print Kafka's side files as JSON: .index .timeindex .txnindex .snapshot,
*-checkpoint files, partition.metadata, meta.properties.

Independent oracle: nothing but Python's standard library, no line of klog's.
Run it with /usr/bin/python3, as read_segment.py beside it.

usage: read_aux.py FILE [...]      the kind is taken from the file name
Index offsets are absolute (base offset from the 20-digit file name). Zeros up to the
end of an index are padding; whatever stands before them is shown, in order or not.
"""
import base64
import json
import os
import re
import struct
import sys

TABLE = []
for _n in range(256):
    for _ in range(8):
        _n = (_n >> 1) ^ 0x82f63b78 if _n & 1 else _n >> 1
    TABLE.append(_n)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >> 8)
    return crc ^ 0xffffffff


def base_offset(name):
    m = re.match(r'(\d{20})\.', os.path.basename(name))
    return int(m.group(1)) if m else 0


def entries(data, size):
    """Whole entries before the zeros of a preallocated tail; a single one may be all zeros (a time of 1970)."""
    used = len(data) if len(data) <= size else len(data.rstrip(b'\0'))
    for i in range(0, used, size):
        if i + size <= len(data):
            yield data[i:i + size]


def index(name, data):
    base = base_offset(name)
    out = [[str(base + rel), pos] for rel, pos in (struct.unpack('>ii', e) for e in entries(data, 8))]
    return {'kind': 'offset index', 'entries': out, 'paddingBytes': len(data) - 8 * len(out)}


def timeindex(name, data):
    base = base_offset(name)
    out = [[str(ts), str(base + rel)] for ts, rel in (struct.unpack('>qi', e) for e in entries(data, 12))]
    return {'kind': 'time index', 'entries': out, 'paddingBytes': len(data) - 12 * len(out)}


def txnindex(name, data):
    out = []
    for i in range(0, len(data) - 33, 34):
        ver, pid, first, last, lso = struct.unpack_from('>hqqqq', data, i)
        out.append({'version': ver, 'producerId': str(pid), 'firstOffset': str(first),
                    'lastOffset': str(last), 'lastStableOffset': str(lso)})
    return {'kind': 'transaction index', 'entries': out}


def snapshot(name, data):
    ver, crc, count = struct.unpack_from('>hIi', data, 0)
    out = []
    for i in range(count):
        pid, ep, seq, off, delta, ts, cep, txn = struct.unpack_from('>qhiqiqiq', data, 10 + 46 * i)
        out.append({'producerId': str(pid), 'producerEpoch': ep, 'lastSequence': seq, 'lastOffset': str(off),
                    'offsetDelta': delta, 'timestamp': str(ts), 'coordinatorEpoch': cep,
                    'currentTxnFirstOffset': str(txn)})
    return {'kind': 'producer snapshot', 'version': ver, 'crcOk': crc == crc32c(data[6:]), 'entries': out}


def checkpoint(name, data):
    lines = data.decode().splitlines()
    rows = [line.split() for line in lines[2:] if line.strip()]
    return {'kind': os.path.basename(name), 'version': int(lines[0]), 'declared': int(lines[1]), 'entries': rows}


def properties(name, data):
    out = {}
    for line in data.decode().splitlines():
        if line.strip() and not line.startswith('#'):
            k, _, v = re.sub(r'\\(.)', r'\1', line).partition(':' if 'partition.metadata' in name else '=')
            out[k.strip()] = v.strip()
    if 'topic_id' in out:
        out['topicIdHex'] = base64.urlsafe_b64decode(out['topic_id'] + '==').hex()
    return out


def read(name):
    data = open(name, 'rb').read()
    for end, fn in (('.timeindex', timeindex), ('.txnindex', txnindex), ('.index', index), ('.snapshot', snapshot),
                    ('checkpoint', checkpoint), ('partition.metadata', properties), ('meta.properties', properties)):
        if name.endswith(end):
            return fn(name, data)
    raise SystemExit('do not know what %s is' % name)


if __name__ == '__main__':
    for arg in sys.argv[1:]:
        print(json.dumps({'file': arg, **read(arg)}))
