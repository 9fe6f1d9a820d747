#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch sniff over captures made from scratch: expected text, pcapng, JSON, exit codes, tshark's opinion.

Usage: sniff_test.py LARCH FOLDER [--update]
FOLDER holds NAME.txt for each capture NAME.pcap; --update writes them anew.
"""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import checks
from checks import check

LARCH, EXPECTED = sys.argv[1], sys.argv[2]
UPDATE = '--update' in sys.argv
HERE = os.path.dirname(os.path.abspath(__file__))


def run(*arguments, **more):
    return subprocess.run([LARCH, 'sniff', *arguments], capture_output=True, timeout=60, **more)


def expected_text(captures):
    """What a person sees, summary included. All link layers must give the same line."""
    for path in captures:
        name = os.path.basename(path)[:-5]
        name = 'link' if name.startswith('link_') else name
        got = run('-r', path, *(['--alerts'] if name == 'flood' else []))
        check(got.returncode == 0, f'{name}: exit {got.returncode}')
        text = got.stdout + got.stderr
        file = os.path.join(EXPECTED, name + '.txt')
        if UPDATE:
            open(file, 'wb').write(text)
        check(open(file, 'rb').read() == text, f'{path} differs from {file}:\n{text.decode()}')
        check(not any(c < 0x20 and c != 0x0a or c > 0x7e for c in text), f'{name}: a raw byte reached the terminal')


def json_lines(captures):
    for path in captures:
        lines = run('-r', path, '--json').stdout.decode('ascii').splitlines()
        for line in lines:
            check('event' in json.loads(line), f'{path}: {line}')
        alerts = [json.loads(line) for line in run('-r', path, '--json', '--alerts').stdout.splitlines()]
        check(alerts == [o for o in map(json.loads, lines) if o['event'] == 'alert'], f'{path}: --json --alerts')


def same_bytes_back(captures, folder):
    """A pcapng of ours reads as the capture it was made from: from a file, and through pipes."""
    out = os.path.join(folder, 'out.pcapng')
    for path in captures:
        straight = run('-r', path)
        check(run('-r', path, '-w', out).stdout == straight.stdout, f'{path}: -w changes the text')
        check(run('-r', out).stdout == straight.stdout, f'{path}: pcapng reads otherwise')
        piped = run('-r', '-', '-w', '-', input=open(path, 'rb').read())
        check(piped.stdout == open(out, 'rb').read(), f'{path}: -w - differs from -w FILE')


def usage_and_errors(folder):
    for arguments, code in ((['--help'], 0), ([], 2), (['-r'], 2), (['-r', 'a', '-i', 'b'], 2), (['--nonsense'], 2),
                            (['-r', 'x', '--port', '0'], 2), (['-r', 'x', '--port', '65536'], 2),
                            (['-r', 'x', '--count', 'two'], 2), (['-r', 'x', 'y'], 2),
                            (['-r', os.path.join(folder, 'missing')], 1), (['-r', __file__], 1),
                            (['-i', 'nosuchinterface0'], 1)):
        got = run(*arguments)
        check(got.returncode == code, f'{arguments}: exit {got.returncode}, not {code}')
        check(bool(got.stderr) == (code != 0) and bool(got.stdout) == (code == 0), f'{arguments}: talk is misplaced')
    direct = os.path.join(folder, 'direct.pcap')
    check(run('-r', direct, '--count', '3').stdout.count(b'\n') == 3, '--count')
    check(run('-r', direct, '-w', '/dev/full').returncode == 1, 'a full disk')
    cut = os.path.join(folder, 'cut')
    open(cut, 'wb').write(open(direct, 'rb').read()[:-5])
    check(run('-r', cut).returncode == 1, 'a damaged file')
    check(run('-r', os.path.join(folder, 'link_raw.pcap'), '--port', '9').returncode == 0, '--port')


def interrupt(folder):
    """SIGINT ends a capture that is waiting, with its summary."""
    read, write = os.pipe()
    os.write(write, open(os.path.join(folder, 'direct.pcap'), 'rb').read())
    p = subprocess.Popen([LARCH, 'sniff', '-r', '-'], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        p.communicate(timeout=1)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGINT)
    os.close(write)
    out, err = p.communicate(timeout=10)
    check(p.returncode == 0 and b'frames' in err and out.count(b'\n') > 20, f'SIGINT: {p.returncode} {err}')


def tshark(*arguments):
    got = subprocess.run(['tshark', '-n', *arguments], capture_output=True, timeout=120)
    check(got.returncode == 0, f'tshark {arguments}: {got.stderr.decode()}')
    return got.stdout.decode().splitlines()


def agree_with_tshark(captures, folder):
    if shutil.which('tshark') is None:
        print('skipped: tshark is not there')
        return
    out, compared = os.path.join(folder, 'out.pcapng'), 0
    for path in captures:
        name = os.path.basename(path)[:-5]
        if name.startswith('link_') and name[5:] not in ('qinq', 'sll2', 'radiotap'):
            continue  # tshark takes its time to start
        alerts = {}
        for line in run('-r', path, '-w', out, '--json').stdout.splitlines():
            o = json.loads(line)
            if o['event'] == 'packet' and 'alerts' in o:
                alerts[o['number']] = o['alerts']
            elif o['event'] == 'alert':
                alerts.setdefault(o['number'], [o['alert']])
        comments = {}
        for line in tshark('-r', out, '-T', 'fields', '-e', 'frame.number', '-e', 'frame.comment'):
            number, comment = (line.split('\t') + [''])[:2]
            if comment:
                comments[int(number)] = comment
        check(set(comments) == set(alerts), f'{path}: comments on {sorted(comments)}, alerts on {sorted(alerts)}')
        for number, names in alerts.items():
            check(all(name in comments.get(number, '') for name in names), f'{path} #{number}: {comments.get(number)}')
        if name in ('direct', 'flood') or name.startswith('link_'):
            compared += compare(path)
    print(f'{compared} packets read as tshark reads them')
    check(compared > 150, 'too few packets compared')


def compare(path):
    ours = [o for o in map(json.loads, run('-r', path, '--json', '--port', '6000').stdout.splitlines()) if o['event'] == 'packet']
    fields = ('frame.number', 'coap.type', 'coap.code', 'coap.mid', 'coap.token', 'coap.opt.uri_path')
    theirs = [line.split('\t') for line in
              tshark('-r', path, '-d', 'udp.port==6000,coap', '-Y', 'coap', '-T', 'fields', *sum((['-e', f] for f in fields), []))]
    check(len(ours) == len(theirs), f'{path}: {len(ours)} messages, tshark has {len(theirs)}')
    for o, (number, kind, code, mid, token, segments) in zip(ours, theirs):
        mine = (o['number'], ['CON', 'NON', 'ACK', 'RST'].index(o['type']),
                int(o['code'][0]) * 32 + int(o['code'][2:]), o['mid'], o['token'])
        check(mine == (int(number), int(kind), int(code), int(mid), token.replace(':', '')), f'{path}: {mine}')
        if o['kind'] == 'request':
            check(o['path'].split('?')[0] == '/' + segments.replace(',', '/'), f'{path} #{number}: {o["path"]} {segments}')
    return len(theirs)


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, os.path.join(HERE, 'make_captures.py'), folder], check=True)
        captures = sorted(glob.glob(os.path.join(folder, '*.pcap')))
        expected_text(captures)
        json_lines(captures)
        same_bytes_back(captures, folder)
        usage_and_errors(folder)
        interrupt(folder)
        agree_with_tshark(captures, folder)
    sys.exit(checks.failures != 0)


main()
