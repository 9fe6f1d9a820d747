#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch oled over what a board's drivers send: expected pictures, JSON, PNG, following, exit codes.

Usage: test_oled.py LARCH OLED_BOARD FOLDER [--update]
FOLDER holds what is expected; --update writes it anew.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import checks
from checks import check

LARCH, BOARD, EXPECTED = sys.argv[1:4]
UPDATE = '--update' in sys.argv

MESSAGE = ['larch              #1', 'Greenhouse 3: 21.4 C,', '63 % humidity. The   ', 'door is open!        ',
           ' ' * 21, ' ' * 21, '10.0.2.2:40112       ', 'ML-KEM-512           ']


def board(scene='gateway'):
    return subprocess.run([BOARD, scene], stdout=subprocess.PIPE, timeout=60, check=True).stdout


def run(stream, *arguments):
    return subprocess.run([LARCH, 'oled', *arguments], input=stream, capture_output=True, timeout=60)


def events(stream, *arguments):
    got = run(stream, '--json', *arguments)
    return got.returncode, [json.loads(line) for line in got.stdout.decode('ascii').splitlines()]


def expected_files(stream):
    """The last picture in every style, pixel by pixel."""
    for style in ('ascii', 'blocks', 'braille'):
        got = run(stream, '--as', style, '--led')
        check(got.returncode == 0 and got.stderr == b'', f'{style}: {got}')
        path = os.path.join(EXPECTED, style + '.txt')
        if UPDATE:
            open(path, 'wb').write(got.stdout)
        check(open(path, 'rb').read() == got.stdout, f'{path} differs from:\n{got.stdout.decode()}')
    check(run(stream).stdout == run(stream, '--as', 'ascii').stdout, 'ASCII where there is no terminal')


def json_events(stream):
    code, all_of = events(stream)
    check(code == 0, f'JSON: exit {code}')
    pictures = [e for e in all_of if e['event'] == 'picture']
    check([p['number'] for p in pictures] == [1, 2, 3], f'three pictures: {pictures}')
    check(all(p['on'] and p['contrast'] == 207 and not p['inverse'] and not p['scrolling'] for p in pictures), 'the panel')
    check(pictures[0]['text'][0] == 'larch         gateway', pictures[0]['text'])
    check(pictures[1]['text'][3] == 'waiting for a message', pictures[1]['text'])
    check(pictures[2]['text'] == MESSAGE, pictures[2]['text'])
    ascii_art = run(stream, '--as', 'ascii').stdout.decode()
    check(pictures[2]['lit'] == ascii_art.count('#'), 'lit pixels are those drawn')
    # One flash of the message, three of the replay; the LED after the picture that it belongs to.
    order = ''.join({'picture': 'p', 'led': 'l', 'end': 'e'}[e['event']] for e in all_of)
    check(order == 'pppl' + 'l' * 7 + 'e', order)
    check([e['lit'] for e in all_of if e['event'] == 'led'] == [True, False] * 4, 'LED')
    check(all_of[-1] == {'event': 'end', 'pictures': 3, 'led_changes': 8, 'faults': 0, 'breaks': 0, 'skipped': 0,
                         'cut': False}, all_of[-1])


def trouble():
    code, all_of = events(board('broken'))
    end = all_of[-1]
    check(code == 1 and end['breaks'] >= 1 and end['skipped'] > 0, f'broken: {code} {end}')
    check([e for e in all_of if e['event'] == 'picture'][-1]['text'][1:] == MESSAGE[1:], 'goes on behind a break')
    got = run(board('broken'))
    check(got.returncode == 1 and b'broke its format' in got.stderr, f'broken: {got.stderr}')

    code, all_of = events(board('misunderstood'))
    check(code == 1 and all_of[-1]['faults'] == 1, 'misunderstood')
    check(any(e['event'] == 'fault' and 'control byte' in e['text'] for e in all_of), 'the fault is told')
    check(b'does not understand' in run(board('misunderstood')).stderr, 'the fault is told to people')

    code, all_of = events(board('cut'))
    check(code == 0 and all_of[-1]['cut'] and all_of[-1]['pictures'] == 3, f'cut: {code} {all_of[-1]}')

    code, all_of = events(board('asleep'))
    last = [e for e in all_of if e['event'] == 'picture'][-1]
    check(code == 0 and not last['on'] and last['lit'] == 0 and last['text'] == [' ' * 21] * 8, f'asleep: {last}')



def nothing(folder):
    """12: without anything for a display no panel is drawn, which would look as a dark one does: the reason, and exit 1."""
    picture = os.path.join(folder, 'none.png')
    others = b''.join(bytes([address << 1, 0, 2, 0, 7]) for address in (0x50, 0x3d, 0x68))
    for stream, why in ((b'', b'it is empty'), (others, b'second channel'), (b'hi', b'second channel'),
                        (b'A text, and no record of a bus.\n' * 50, b'second channel'), (b'\x89PNG\r\n\x1a\n' + bytes(500), b'second'),
                        (bytes(2000), b'second channel')):
        for arguments in ([], ['--as', 'braille'], ['--png', picture], ['--follow'], ['--led']):
            got = run(stream, *arguments)
            check(got.returncode == 1 and why in got.stderr and not got.stdout, f'{stream[:8]} {arguments}: {got}')
        code, all_of = events(stream)
        check(code == 1 and [e['event'] for e in all_of if e['event'] != 'break'] == ['end'], f'{stream[:8]}: {all_of}')
    check(not os.path.exists(picture), 'a picture of nothing')
    path = os.path.join(folder, 'empty')
    open(path, 'wb').close()
    got = run(b'', path)
    check(got.returncode == 1 and path.encode() in got.stderr, f'an empty file: {got.stderr}')
    got = run(b'\x01\x00\x01\x01', '--led')  # the LED alone is something
    check(got.returncode == 0 and b'panel off' in got.stdout and b'LED lit' in got.stdout, f'the LED alone: {got}')
    process = subprocess.Popen([LARCH, 'oled', '--follow'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    process.terminate()  # before anything came
    out, err = process.communicate(timeout=60)
    check(process.returncode == 0 and not out + err, f'interrupted: {process.returncode} {out} {err}')


def same_file(folder):
    """What is read is never overwritten."""
    path, link = os.path.join(folder, 'record'), os.path.join(folder, 'link')
    open(path, 'wb').write(gateway)
    os.symlink(path, link)
    for source, target in ((path, path), (path, link), (link, path)):
        got = run(b'', source, '--png', target)
        check(got.returncode == 1 and b'overwritten' in got.stderr and open(path, 'rb').read() == gateway, f'{source} {target}: {got}')
    with open(path, 'ab') as file:
        got = subprocess.run([LARCH, 'oled', path, '--follow'], stdout=file, stderr=subprocess.PIPE, timeout=60)
    check(got.returncode == 1 and open(path, 'rb').read() == gateway, f'standard output: {got}')


def dots_of(png):
    """Width, height and RGBA rows; written for this test, so that the library is not its own judge."""
    check(png[:8] == b'\x89PNG\r\n\x1a\n', 'PNG signature')
    at, data, header = 8, b'', b''
    while at < len(png):
        length, kind = struct.unpack('>I4s', png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        check(zlib.crc32(kind + body) == struct.unpack('>I', png[at + 8 + length:at + 12 + length])[0], 'PNG checksum')
        header = body if kind == b'IHDR' else header
        data += body if kind == b'IDAT' else b''
        at += 12 + length
    width, height, depth, colour = struct.unpack('>IIBB', header[:10])
    check((depth, colour) == (8, 6), 'eight bits, RGBA')
    raw, rows, before = zlib.decompress(data), [], bytes(4 * width)
    for y in range(height):
        filter_type, row = raw[y * (4 * width + 1)], bytearray(raw[y * (4 * width + 1) + 1:(y + 1) * (4 * width + 1)])
        for i in range(4 * width):
            left, up, corner = row[i - 4] if i >= 4 else 0, before[i], before[i - 4] if i >= 4 else 0
            guess = left + up - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            row[i] = row[i] + (0, left, up, (left + up) // 2, paeth)[filter_type] & 255
        rows.append(bytes(row))
        before = row
    return width, height, rows


def png(stream, folder):
    """Each pixel of the panel is bright where the ASCII picture has '#', and dark elsewhere."""
    art = run(stream, '--as', 'ascii').stdout.decode().splitlines()[1:65]
    for scale in (1, 3, 4):
        path = os.path.join(folder, f'{scale}.png')
        got = run(stream, '--png', path, '--scale', str(scale))
        check(got.returncode == 0 and got.stdout.decode().splitlines()[1:65] == art, 'PNG and text')
        file = open(path, 'rb').read()
        check(run(stream, '--png', '-', '--scale', str(scale)).stdout == file, 'PNG on standard output')
        width, height, rows = dots_of(file)
        check((width, height) == (144 * scale, 80 * scale), f'{width}x{height}')
        for y in range(64):
            for x in range(128):
                dot = rows[(8 + y) * scale][4 * (8 + x) * scale:][:4]
                if (dot[2] > 128) != (art[y][1 + x] == '#') or dot[3] != 255:
                    check(False, f'scale {scale}, pixel {x}, {y}: {tuple(dot)}')
                    return
        check(scale == 1 or rows[0][3] == 0, 'round corners')
    got = run(stream, '--frames', folder)
    frames = sorted(name for name in os.listdir(folder) if len(name) == 8)
    check(got.returncode == 0 and frames == ['0001.png', '0002.png', '0003.png'], frames)
    check(open(os.path.join(folder, '0003.png'), 'rb').read() == open(os.path.join(folder, '4.png'), 'rb').read(),
          'the last frame is the last picture')


def follow(stream, folder):
    """Through a pipe that stays open: what stands is told while the stream pauses, and the end ends it."""
    process = subprocess.Popen([LARCH, 'oled', '--follow', '--json'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(stream)
    process.stdin.flush()
    lines = [json.loads(process.stdout.readline()) for _ in range(11)]
    check([e['event'] for e in lines[:4]] == ['picture'] * 3 + ['led'], f'followed: {lines}')
    process.stdin.write(b'\x78\x00\x02\x00\xae')  # the panel goes off, and nothing follows
    process.stdin.flush()
    last = json.loads(process.stdout.readline())
    check(last['event'] == 'picture' and not last['on'], f'a pause tells: {last}')
    process.stdin.close()
    check(json.loads(process.stdout.readline())['event'] == 'end' and process.wait(60) == 0, 'the end of the pipe')

    # A file that grows, drawn anew; a signal ends it.
    path = os.path.join(folder, 'growing')
    open(path, 'wb').write(stream[:100])
    process = subprocess.Popen([LARCH, 'oled', path, '--follow', '--json'], stdout=subprocess.PIPE)
    with open(path, 'ab') as file:
        file.write(stream[100:])
    lines = [json.loads(process.stdout.readline()) for _ in range(11)]
    check(lines[2].get('text') == MESSAGE, f'a file that grows: {lines}')
    process.terminate()
    check(process.wait(60) == 0, 'a signal ends it')


def usage(folder):
    missing = os.path.join(folder, 'no', 'file')
    for code, arguments in [(0, ['--help']), (2, ['--none']), (2, ['--scale', '0']), (2, ['--scale', '17']),
                            (2, ['--scale']), (2, ['--as', 'colour']), (2, ['a', 'b']), (2, ['--png', '-', '--json']),
                            (2, ['--png', '-', '--follow']), (1, [missing]), (1, ['--png', missing]),
                            (1, ['--frames', missing])]:
        got = run(board(), *arguments)
        check(got.returncode == code, f'{arguments}: exit {got.returncode}, not {code}: {got.stderr}')
        check((got.stderr == b'') == (code == 0), f'{arguments}: {got.stderr}')
    with open('/dev/full', 'wb') as full:
        got = subprocess.run([LARCH, 'oled', '--json'], input=board(), stdout=full, stderr=subprocess.PIPE, timeout=60)
        check(got.returncode == 1 and got.stderr != b'', 'a full disk')


gateway = board()
expected_files(gateway)
json_events(gateway)
trouble()
with tempfile.TemporaryDirectory() as scratch:
    nothing(scratch)
    same_file(scratch)
    png(gateway, scratch)
    follow(gateway, scratch)
    usage(scratch)
sys.exit(checks.failures != 0)
