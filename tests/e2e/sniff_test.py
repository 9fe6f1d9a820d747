#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""larch sniff over captures made from scratch: expected text, pcapng, JSON, exit codes, tshark's opinion.

Usage: sniff_test.py LARCH FOLDER [--update]
FOLDER holds NAME.txt for each capture NAME.pcap; --update writes them anew.
"""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import checks
import make_captures
from checks import check

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import skips  # noqa: E402

LARCH, EXPECTED = sys.argv[1], sys.argv[2]
UPDATE = '--update' in sys.argv
HERE = os.path.dirname(os.path.abspath(__file__))
JSON_PAGE = os.path.join(HERE, '..', '..', 'sniff', 'write', 'json.h')


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


def names_of(value):
    """Of all members, those of objects in it too."""
    return set(value) | set().union(*(names_of(inner) for inner in value.values() if isinstance(inner, dict)))


def json_lines(captures):
    described = set(re.findall(r'"(\w+)"', open(JSON_PAGE, encoding='utf-8').read()))
    for path in captures:
        lines = run('-r', path, '--json').stdout.decode('ascii').splitlines()
        for line in lines:
            members = json.loads(line)
            check('event' in members, f'{path}: {line}')
            check(described.issuperset(names_of(members)), f'{JSON_PAGE} leaves out {names_of(members) - described}')
        alerts = [json.loads(line) for line in run('-r', path, '--json', '--alerts').stdout.splitlines()]
        check(alerts == [o for o in map(json.loads, lines) if o['event'] == 'alert'], f'{path}: --json --alerts')


def key_log(folder):
    """RFC 8613's messages, opened: what a person sees; and the files that are refused as a whole, without a word of them."""
    path, keys = os.path.join(folder, 'oscore.pcap'), os.path.join(folder, 'keys')
    expected = os.path.join(EXPECTED, 'oscore_keys.txt')
    open(keys, 'w', encoding='ascii').write(make_captures.RFC8613_KEY_LOG)
    os.chmod(keys, 0o600)  # it is read before root's rights are given up
    got = run('-r', path, '--keylog', keys)
    check(got.returncode == 0, f'--keylog: exit {got.returncode}')
    if UPDATE:
        open(expected, 'wb').write(got.stdout + got.stderr)
    check(open(expected, 'rb').read() == got.stdout + got.stderr, f'--keylog differs from {expected}:\n{got.stdout.decode()}')
    lines = [json.loads(line) for line in run('-r', path, '--keylog', keys, '--json').stdout.splitlines()]
    inner = [o['oscore']['inner'] for o in lines if 'inner' in o.get('oscore', {})]
    described = set(re.findall(r'"(\w+)"', open(JSON_PAGE, encoding='utf-8').read()))
    check(all(described.issuperset(names_of(o)) for o in lines), f'{JSON_PAGE} leaves out a member')
    check([o['path'] for o in inner if 'path' in o].count('/tv1') == 5, f'{inner}')
    check({'code': '2.05', 'code_text': 'Content', 'payload_length': 12, 'payload': 'Hello World!'} in inner, f'{inner}')

    wrong = make_captures.RFC8613_KEY_LOG.replace('"00","01","', '"00","01","f00g')
    for text, code, words in ((wrong, 2, b'line 3: its Master Secret'), ('', 0, b''), (wrong * 2, 2, b'line 3:'),
                              ('#' * 1024 * 1024, 2, b'longer'), ('#LAKE_2 00', 2, b'line 1: its hashes'), ('\n' * 9 + '"f00g"', 2, b'line 10:')):
        open(keys, 'w', encoding='ascii').write(text)
        got = run('-r', path, '--keylog', keys)
        check(got.returncode == code and words in got.stderr and bool(got.stdout) == (code == 0), f'{got.returncode} {got.stderr}')
        check(b'f00g' not in got.stderr and b'0102' not in got.stderr, f'a key reached the terminal: {got.stderr}')
    got = run('-r', path, '--keylog', os.path.join(folder, 'missing'))
    check(got.returncode == 1 and b'missing: No such file' in got.stderr and not got.stdout, f'{got.returncode} {got.stderr}')
    check(run('-r', path, '--keylog', folder).returncode == 1, 'a folder for a key log')


def members_of_alerts(folder):
    """11: addresses, frame numbers and fingerprints of alerts are members, and say what the text says."""
    found = {}
    for name in ('attacks', 'nat', 'oscore', 'network'):
        for line in run('-r', os.path.join(folder, name + '.pcap'), '--json', '--alerts').stdout.splitlines():
            o = json.loads(line)
            found.setdefault(o['alert'], []).append(o)
            for number in re.findall(r'#(\d+)', o['text']):
                check(int(number) in (o.get('before'), o.get('request')), f'{number} is no member of {o}')
            for fingerprint in re.findall(r'larch1:\w+', o['text']):
                check(fingerprint in (o.get('fingerprint'), o.get('fingerprint_before')), f'{fingerprint} is no member of {o}')
            for address in re.findall(r'\d+\.\d+\.\d+\.\d+(?::\d+)?', o['text']):
                check(address in (o['source'], o['destination'], o.get('before_source')), f'{address} is no member of {o}')
    for o in found['key-changed']:
        check(o['fingerprint'] != o['fingerprint_before'] and o['before'] < o['number'], f'{o}')
    check(len(found['replay']) == 5 and all(o['before'] and o['before_source'] for o in found['replay']), f"{found['replay']}")
    check(found['forged-answer'][0]['request'] < found['forged-answer'][0]['before'], f"{found['forged-answer']}")
    check(any(':' not in o['source'] for o in found['malformed']), 'a frame that is malformed below UDP has no port')


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


def fail_on(folder):
    """11: a script learns of alerts by the exit status, from the severity on that it names."""
    for name, worst in (('direct', 'notice'), ('flood', 'warning'), ('attacks', 'alarm'), ('oscore', 'alarm'), ('snap', None)):
        severities = ('notice', 'warning', 'alarm')
        path = os.path.join(folder, name + '.pcap')
        for wanted in ('never', *severities):
            code = 3 if worst and wanted in severities[:severities.index(worst) + 1] else 0
            for more in ([], ['--json', '--alerts']):
                got = run('-r', path, '--fail-on', wanted, *more)
                check(got.returncode == code, f'{name} --fail-on {wanted}: exit {got.returncode}, not {code}')
    check(run('-r', path, '--fail-on', 'disaster').returncode == 2, '--fail-on disaster')
    cut = os.path.join(folder, 'cut_attacks')
    open(cut, 'wb').write(open(os.path.join(folder, 'attacks.pcap'), 'rb').read()[:-5])
    check(run('-r', cut, '--fail-on', 'alarm').returncode == 1, 'a damaged file is a failure first')


def status_of(process):
    text = open(f'/proc/{process.pid}/status', encoding='ascii').read()
    found = dict(re.findall(r'^(\w+):[ \t]*(.*)$', text, re.M))
    return found['Uid'].split(), found['Gid'].split(), found['Groups'].split(), int(found['CapPrm'], 16), found['NoNewPrivs']


def privileges(folder):
    """11: root's rights and capabilities are gone once all is open; what was opened with them stays open."""
    if os.geteuid() != 0:
        skips.skip("giving up root's rights", 'the test does not run as root')
        return
    out = os.path.join(folder, 'of_root.pcapng')
    os.chmod(folder, 0o700)
    data = open(os.path.join(folder, 'direct.pcap'), 'rb').read()
    anybody = tempfile.TemporaryDirectory()  # the build may stand where another user cannot go
    os.chmod(anybody.name, 0o755)
    program = shutil.copy(LARCH, anybody.name)
    plain = {k: v for k, v in os.environ.items() if not k.startswith('SUDO_')}
    capable = ['setpriv', '--reuid', '4321', '--regid', '4321', '--clear-groups', '--inh-caps', '+net_raw',
               '--ambient-caps', '+net_raw']
    for before, arguments, more, wanted in (
            ([], ['-w', out], {}, ('65534', '65534', '0', '1')),
            ([], ['-w', out], {'SUDO_UID': '1234', 'SUDO_GID': '2345'}, ('1234', '2345', '0', '1')),
            ([], ['-w', out], {'SUDO_UID': '0', 'SUDO_GID': '0'}, ('65534', '65534', '0', '1')),
            ([], ['-w', out], {'SUDO_UID': '12x', 'SUDO_GID': '1'}, ('65534', '65534', '0', '1')),
            ([], ['--user', 'daemon'], {'SUDO_UID': '1234', 'SUDO_GID': '2345'}, ('1', '1', '0', '1')),
            ([], ['-Z', 'root'], {}, ('0', '0', 'kept', '0')),
            (capable, [], {}, ('4321', '4321', '0', '1'))):
        p = subprocess.Popen([*before, program, 'sniff', '-r', '-', *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env={**plain, **more})
        p.stdin.write(data)
        p.stdin.flush()
        p.stdout.read(1)  # all is open by then
        uids, gids, groups, capabilities, no_new = status_of(p)
        rest = p.communicate(timeout=30)
        capability = 'kept' if wanted[2] == 'kept' and capabilities else str(capabilities)
        check(uids == [wanted[0]] * 4 and gids == [wanted[1]] * 4 and capability == wanted[2] and no_new == wanted[3] and
              (wanted[0] == '0' or not groups), f'{before} {arguments} {more}: {uids} {gids} {groups} {capabilities:x} {no_new}')
        check(p.returncode == 0, f'{arguments}: exit {p.returncode} {rest[1]}')
    check(run('-r', out).stdout == run('-r', os.path.join(folder, 'direct.pcap')).stdout, 'a file that root alone can write')
    check(run('-r', out, '--user', 'nosuchuser').returncode == 2, '--user nosuchuser')
    # a name space that knows no other user: nothing can be given up, and nothing fails
    got = subprocess.run(['unshare', '--user', '--map-root-user', LARCH, 'sniff', '-r', os.path.join(folder, 'direct.pcap')],
                         capture_output=True, timeout=60)
    check(got.returncode == 0 or b'unshare' in got.stderr, f'a user name space: {got.stderr}')
    live(folder)


def live(folder):
    """The interface goes on delivering, and its pcapng gets its end, without the rights that opened it."""
    out = os.path.join(folder, 'live.pcapng')
    p = subprocess.Popen([LARCH, 'sniff', '-i', 'lo', '--port', '45683', '--count', '3', '-w', out], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    first = p.stderr.readline()
    if b'listening' not in first:
        skips.skip('a live capture', first.decode().strip())
        p.communicate()
        return
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while p.poll() is None:
        sender.sendto(b'\x50\1\0\1', ('127.0.0.1', 45683))
        try:
            p.wait(0.05)
        except subprocess.TimeoutExpired:
            pass
    err = p.communicate()[1]
    check(p.returncode == 0 and b'3 CoAP messages' in err, f'live: {p.returncode} {err}')
    check(run('-r', out, '--port', '45683').returncode == 0, 'the file of a live capture')


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
        skips.skip('comparison with tshark', 'tshark is not installed')
        return
    out, compared = os.path.join(folder, 'out.pcapng'), 0
    for path in captures:
        name = os.path.basename(path)[:-5]
        if name.startswith('link_') and name[5:] not in ('qinq', 'sll2', 'radiotap', 'pppoe', 'ppp'):
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
        key_log(folder)
        members_of_alerts(folder)
        same_bytes_back(captures, folder)
        usage_and_errors(folder)
        fail_on(folder)
        privileges(folder)
        interrupt(folder)
        agree_with_tshark(captures, folder)
    sys.exit(checks.failures != 0)


main()
