#!/usr/bin/env python3
"""Compares an append log with SQLite as the broker would use them: messages of 64 bytes of payload, queued and settled, in group commits.

    store.py [DIRECTORY] [SECONDS]     on that disk (default: here), for that long each (default: 3)

Prints messages a second, processor time a message and bytes given to the disk a message, for batches of 1, 8, 32 and 128.
"""
import os, sqlite3, struct, sys, tempfile, time, zlib

where = sys.argv[1] if len(sys.argv) > 1 else '.'
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3.0
payload = b'x' * 64


def written():
    with open('/proc/self/io') as io:
        return int(next(line for line in io if line.startswith('write_bytes')).split()[1])


def log(directory, batch):
    file = os.open(os.path.join(directory, f'log{batch}'), os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(file, 0, 64 << 20)
    while True:
        body = b''.join(b'\x06' + struct.pack('>q', i) + payload + b'\x07' + struct.pack('>qi', i, 1) + b'\x0a' + struct.pack('>q', i) for i in range(batch))
        os.write(file, struct.pack('<II', len(body), zlib.crc32(body)) + body)
        os.fdatasync(file)
        yield


def sqlite(directory, batch):
    base = sqlite3.connect(os.path.join(directory, f'base{batch}'), isolation_level=None)
    base.executescript('pragma journal_mode=wal; pragma synchronous=full;'
                       'create table message(id integer primary key, session integer, payload blob)')
    number, settled = 0, 0
    while True:
        base.execute('begin')
        base.executemany('insert into message values(?, 1, ?)', [(number + i, payload) for i in range(batch)])
        number += batch
        # What was queued a batch ago is settled now.
        base.execute('delete from message where id < ?', (settled,))
        settled = number
        base.execute('commit')
        yield


print(f'{"store":8} {"batch":>5} {"msg/s":>9} {"cpu us":>7} {"bytes":>7}')
with tempfile.TemporaryDirectory(dir=where) as directory:
    for batch in (1, 8, 32, 128):
        for store in (log, sqlite):
            run = store(directory, batch)
            next(run)
            count, start, cpu, before = 0, time.monotonic(), time.process_time(), written()
            while time.monotonic() - start < seconds:
                next(run)
                count += batch
            elapsed = time.monotonic() - start
            print(f'{store.__name__:8} {batch:5} {count / elapsed:9.0f} {(time.process_time() - cpu) / count * 1e6:7.1f} {(written() - before) / count:7.0f}')
