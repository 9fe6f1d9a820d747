// SPDX-License-Identifier: Apache-2.0
// ML-KEM and ML-DSA of larch against @noble/post-quantum, in both directions.
// usage: node noble.mjs PEER_PROGRAM [CASES [LEVEL]]   (of ML-KEM, and a third as many of ML-DSA)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa';

const sets = { 512: ml_kem512, 768: ml_kem768, 1024: ml_kem1024 };
const signers = { '-48': ml_dsa44, '-49': ml_dsa65, '-50': ml_dsa87 }; // by their numbers in COSE
const cases = Number(process.argv[3] ?? 100);
const level = process.argv[4]; // portable, avx2 or avx512; if not given: whichever users get
const hex = (bytes) => Buffer.from(bytes).toString('hex') || '-';
const bytes = (text) => Uint8Array.from(Buffer.from(text, 'hex'));

const peer = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();

async function larch(...request) {
  peer.stdin.write(request.join(' ') + '\n');
  const { value, done } = await lines.next();
  assert(!done, 'the peer ended');
  return value.split(' ');
}

function corrupted(ct) {
  const forged = ct.slice();
  forged[randomInt(forged.length)] ^= 1 << randomInt(8);
  return forged;
}

async function oneCase(set, kem) {
  // The same seed, the same keys.
  const seed = randomBytes(64);
  const theirs = kem.keygen(seed);
  const [ek, dk] = await larch('keygen', set, hex(seed));
  assert.equal(ek, hex(theirs.publicKey));
  assert.equal(dk, hex(theirs.secretKey));

  // Ours to theirs, and a corrupted one.
  const m = randomBytes(32);
  const [ct, ss] = await larch('encaps', set, ek, hex(m));
  assert.equal(ss, hex(kem.decapsulate(bytes(ct), theirs.secretKey)));
  const forged = corrupted(bytes(ct));
  const rejected = hex(kem.decapsulate(forged, theirs.secretKey));
  assert.notEqual(rejected, ss);
  assert.deepEqual(await larch('decaps', set, dk, hex(forged)), [rejected]);

  // Theirs to ours, with the same and with another message.
  const same = kem.encapsulate(theirs.publicKey, m);
  assert.equal(hex(same.cipherText), ct);
  assert.equal(hex(same.sharedSecret), ss);
  const other = kem.encapsulate(bytes(ek), randomBytes(32));
  assert.deepEqual(await larch('decaps', set, hex(theirs.secretKey), hex(other.cipherText)), [hex(other.sharedSecret)]);

  // A coefficient of q or more, anywhere: larch refuses the key. (noble 0.4.1 does not: its
  // ByteDecode_12 keeps such a number, so its comparison after encoding finds no difference.)
  const bad = bytes(ek);
  const at = randomInt((bad.length - 32) / 3) * 3;
  bad[at] = 0xff;
  bad[at + 1] |= 0x0f;
  assert.deepEqual(await larch('encaps', set, hex(bad), hex(m)), ['error', 'MALFORMED']);
}

async function oneSignature(algorithm, signer) {
  // The same seed, the same keys.
  const seed = randomBytes(32);
  const theirs = signer.keygen(seed);
  const [pk, sk] = await larch('sig_keygen', algorithm, hex(seed));
  assert.equal(pk, hex(theirs.publicKey));
  assert.equal(sk, hex(theirs.secretKey));

  // The same bytes from both, deterministic and hedged; each takes the other's.
  const context = randomBytes(randomInt(4) === 0 ? 0 : randomInt(256));
  const message = randomBytes(randomInt(2000));
  const rnd = randomInt(2) === 0 ? new Uint8Array(0) : randomBytes(32);
  const [signature] = await larch('sig_sign', algorithm, sk, hex(context), hex(message), hex(rnd));
  const other = signer.sign(theirs.secretKey, message, context, rnd.length > 0 ? rnd : undefined);
  assert.equal(signature, hex(other));
  assert(signer.verify(theirs.publicKey, message, bytes(signature), context));
  assert.deepEqual(await larch('sig_verify', algorithm, pk, hex(context), hex(message), hex(other)), ['valid']);

  // Both refuse a corrupted one.
  const forged = corrupted(other);
  assert(!signer.verify(theirs.publicKey, message, forged, context));
  const refused = await larch('sig_verify', algorithm, pk, hex(context), hex(message), hex(forged));
  assert.deepEqual(refused, ['error', 'AUTH']);
}

if (level !== undefined && (await larch('level', level))[0] === 'error') {
  console.log(`skipped: ${level}: this processor or build has none`);
  process.exit(77);
}
for (const [set, kem] of Object.entries(sets)) {
  let done = 0;
  if ((await larch('keygen', set, '00'.repeat(64)))[0] === 'error') {
    console.log(`ML-KEM-${set}: not in this build`);
    continue;
  }
  for (; done < cases; done++) await oneCase(set, kem);
  console.log(`ML-KEM-${set}: ${done} cases agree`);
}
for (const [algorithm, signer] of Object.entries(signers)) {
  let done = 0;
  if ((await larch('sig_keygen', algorithm, '00'.repeat(32)))[0] === 'error') {
    console.log(`ML-DSA, ${algorithm} in COSE: not in this build`);
    continue;
  }
  for (; done * 3 < cases; done++) await oneSignature(algorithm, signer);
  console.log(`ML-DSA, ${algorithm} in COSE: ${done} cases agree`);
}
peer.stdin.end();
