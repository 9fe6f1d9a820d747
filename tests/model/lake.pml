// SPDX-License-Identifier: Apache-2.0
/* The handshake, methods 0 (signatures) and 4 (PSK, also of a resumption): two devices, one gateway, and an intruder
 * who owns the network.
 *
 * Cryptography is perfect and symbolic. A session of a device has an ephemeral KEM key X, a session of the gateway a
 * ciphertext Y for the X that it received, and the intruder has an X and a Y of its own. The shared secret of X and Y
 * is known to whoever made one of the two. A hash is the list of what goes into it, so "the same TH_4" means that each
 * part is the same. What an honest party protected stands in its session, and the intruder may deliver it to any
 * session, in any order, any number of times, or never; the intruder may protect anything under what it knows:
 *   - it changes each field of message_1, which nothing protects, and makes message_1 of its own;
 *   - it changes C_R in message_2 of method 4, where only a key stream stands over it, and makes such a message_2;
 *   - it forges error messages with any suites;
 *   - it is an insider: device E is enrolled with the gateway, in both methods, and the kid of its PSK is that of the
 *     PSK of A;
 *   - with LEAKED, it has the keys of A as well. What is then still promised is asserted: see agreement.
 *
 * A and B each have one method, by their enrolment. A supports both suites and prefers STRONG; B is old and supports
 * WEAK alone. The gateway supports both. A device sends a combined request [RFC9668] or not: then the OSCORE response
 * is the fourth message in place of message_4.
 *
 * Left out: what a lost key of a finished session reveals (a resumption key is here a PSK like any other;
 * lake_keys.pml is about its life), credentials that expire or are revoked, EAD, ID_CRED in method 0 by reference,
 * message lengths, and privacy.
 *
 * The environment variable LARCH_BREAK is the number of a rule that is broken, or of a witness: a claim that some good
 * thing never happens. The test expects an error for each. */

#ifndef INITIATORS
#define INITIATORS 2 // sessions of devices: the last is of B, the others of A
#endif
#ifndef RESPONDERS
#define RESPONDERS 2
#endif

// LARCH_BREAK and the property that then fails.
#define BREAK_SUITES_NOT_HASHED 1     // agreement: the transcript leaves SUITES_I out
#define BREAK_ANY_SUITE_ACCEPTED 2    // suite: the gateway takes a suite that is not the first of SUITES_I that it has
#define BREAK_DEVICE_OMITS_SUITE 3    // suite: after an error the device leaves its preferred suite out of SUITES_I
#define BREAK_ERROR_CHANGES_METHOD 4  // method: after an error the device tries the other method
#define BREAK_SAME_IDENTIFIERS 5      // agreement: the device accepts C_R = C_I, and its own request comes back
#define BREAK_ONE_KEY 6               // agreement: message_3 and message_4 have one key, and message_3 comes back
#define BREAK_KID_NAMES_DEVICE 7      // agreement: CRED_I follows from the kid, not from the PSK that opened message_3
#define BREAK_SIGNATURE_WITHOUT_TH 8  // agreement: a signature covers the credential and not the transcript
#define BREAK_TH_3_WITHOUT_C_R 9      // agreement: TH_3 leaves PLAINTEXT_2 out
#define BREAK_TH_2_WITHOUT_C_I 10     // agreement: TH_2 leaves message_1's C_I out
#define BREAK_COPY_STORED_AGAIN 11    // once: a copy of message_3 makes a context again
#define BREAK_NO_FOURTH_MESSAGE 12    // agreement: the device trusts the gateway after message_2
#define BREAK_PSK_OF_THE_FLEET 13     // agreement: A and E have one PSK
#define WITNESS_SIGNED 40             // never_signed: both sides finish method 0
#define WITNESS_PSK 41                // never_psk: both sides finish method 4
#define WITNESS_WEAK 42               // never_weak: B finishes with its only suite
#define WITNESS_AFTER_ERROR 43        // never_after_error: A finishes with STRONG although an error came before
#define WITNESS_INSIDER 44            // never_insider: E finishes

// The names of the properties, for the report: always false.
bool agreement, suite, method, once;
bool never_signed, never_psk, never_weak, never_after_error, never_insider;
#define HOLDS(property, condition) assert(property || (condition))

#define A 1
#define B 2
#define E 3
#define SIGNED 0
#define PSK 4
// SUITES_I, the selected suite last.
#define STRONG 1
#define STRONG_WEAK 2
#define WEAK 3
#define SELECTED(suites) (suites == STRONG -> STRONG : WEAK)

#define OWNER(i) (i == INITIATORS - 1 -> B : A)
// X of a session, before and after an error. Y of a session of the gateway is its number. Those of the intruder:
#define X(i) (i + 1 + (a[i].again -> INITIATORS : 0))
#define X_INTRUDER (2 * INITIATORS + 1)
#define Y_INTRUDER RESPONDERS

mtype = { NOT_YET, SENT_1, SENT_2, SENT_3, DONE };

typedef initiator { // C_I is always 1
    mtype at;
    byte with;     // the method
    byte suites;
    bool again;    // a new message_1 after an error
    byte y, c_r
};
typedef responder {
    mtype at;
    byte with, suites, x, c_i, c_r;
    byte peer // whom message_3 authenticated
};
initiator a[INITIATORS];
responder g[RESPONDERS];
byte enrolled[3]; // the method of A and B
byte broken;

// The transcript of both sides is one.
#define TH_2_SAME(i, r) (a[i].with == g[r].with && g[r].x == X(i) && a[i].y == r &&                   \
    (a[i].suites == g[r].suites ||                                                                   \
     (broken == BREAK_SUITES_NOT_HASHED && SELECTED(a[i].suites) == SELECTED(g[r].suites))) &&       \
    (g[r].c_i == 1 || broken == BREAK_TH_2_WITHOUT_C_I))
#define TH_3_SAME(i, r) (TH_2_SAME(i, r) && (a[i].c_r == g[r].c_r || broken == BREAK_TH_3_WITHOUT_C_R))
// What both must have in common, whatever is hashed. No two sessions of one side agree with the same one of the other,
// and the intruder knows no key of a session that agrees, because it made neither X nor Y.
#define AGREE(i, r) (a[i].with == g[r].with && g[r].x == X(i) && a[i].y == r && a[i].suites == g[r].suites &&   \
    g[r].c_i == 1 && a[i].c_r == g[r].c_r && g[r].peer == OWNER(i))

// A signature of the gateway that the intruder could read, and that serves in another session.
#define SIGNATURE_SEEN(r) (broken == BREAK_SIGNATURE_WITHOUT_TH && g[r].with == SIGNED && g[r].x == X_INTRUDER && \
    (g[r].at == SENT_2 || g[r].at == DONE))

#ifdef LEAKED
#define KNOWN(device) (device == E || device == A)
#else
#define KNOWN(device) (device == E)
#endif
#define PSK_KNOWN(device) (KNOWN(device) || (broken == BREAK_PSK_OF_THE_FLEET && device == A))

// The device is sure of the gateway: a session of the gateway finished with this device and the same transcript.
inline device_done(i) {
    a[i].at = DONE;
    if
    :: KNOWN(OWNER(i)) && a[i].with == PSK -> skip // nothing is promised: who has the PSK can play the gateway
    :: else ->
        HOLDS(agreement, a[i].y < RESPONDERS && g[a[i].y].at == DONE && AGREE(i, a[i].y));
        HOLDS(suite, OWNER(i) == B || SELECTED(a[i].suites) == STRONG)
    fi;
    HOLDS(method, a[i].with == enrolled[OWNER(i)]);
    HOLDS(never_signed, !(broken == WITNESS_SIGNED && a[i].with == SIGNED));
    HOLDS(never_psk, !(broken == WITNESS_PSK && a[i].with == PSK));
    HOLDS(never_weak, !(broken == WITNESS_WEAK && OWNER(i) == B));
    HOLDS(never_after_error, !(broken == WITNESS_AFTER_ERROR && OWNER(i) == A && a[i].again))
}

// The gateway is sure of device p: a session of p sent this message_3 and has the same transcript.
inline gateway_done(r, p) {
    HOLDS(once, g[r].at == SENT_2);
    g[r].at = DONE; g[r].peer = p;
    HOLDS(never_insider, !(broken == WITNESS_INSIDER && p == E));
    if
    :: KNOWN(p) -> skip
    :: else ->
        k = 0;
        do
        :: k < INITIATORS && (a[k].at == SENT_3 || a[k].at == DONE) && AGREE(k, r) -> break
        :: k < INITIATORS && !((a[k].at == SENT_3 || a[k].at == DONE) && AGREE(k, r)) -> k++
        :: k == INITIATORS -> HOLDS(agreement, false)
        od;
        k = 0;
        HOLDS(suite, p == B || SELECTED(g[r].suites) == STRONG);
        HOLDS(method, g[r].with == enrolled[p])
    fi
}

inline send_1(i, m) {
    a[i].at = SENT_1; a[i].with = m;
    if
    :: OWNER(i) == B -> a[i].suites = WEAK
    :: else -> a[i].suites = STRONG
    fi
}

active proctype world() {
    byte i, r, k;
    c_code { const char *text = getenv("LARCH_BREAK"); now.broken = text ? atoi(text) : 0; };
    atomic {
        do
        :: i < INITIATORS -> a[i].at = NOT_YET; i++
        :: else -> break
        od;
        do
        :: r < RESPONDERS -> g[r].at = NOT_YET; r++
        :: else -> break
        od;
        if
        :: enrolled[A] = SIGNED
        :: enrolled[A] = PSK
        fi;
        if
        :: enrolled[B] = SIGNED
        :: enrolled[B] = PSK
        fi;
        i = 0; r = 0
    }
end:
    do
    :: atomic { // a device's turn
        if
        :: i = 0
        :: i = 1
#if INITIATORS > 2
        :: i = 2
#endif
        fi;
        if
        // message_1. Sessions of one device begin in order.
        :: a[i].at == NOT_YET && (i == 0 || i == INITIATORS - 1 || a[i - (i > 0 -> 1 : 0)].at != NOT_YET) ->
            send_1(i, enrolled[OWNER(i)])
        // An error with SUITES_R of the intruder's choice.
        :: a[i].at == SENT_1 && !a[i].again && OWNER(i) == A ->
            if
            :: a[i].again = true; a[i].suites = (broken == BREAK_DEVICE_OMITS_SUITE -> WEAK : STRONG_WEAK)
            :: a[i].again = true // another error: the same once more
            :: broken == BREAK_ERROR_CHANGES_METHOD -> a[i].again = true; a[i].with = PSK - a[i].with
            fi
        // message_2 of the gateway, genuine: C_R is as it was sent.
        :: a[i].at == SENT_1 && a[i].with == SIGNED ->
            if
            :: r = 0
            :: r = 1
#if RESPONDERS > 2
            :: r = 2
#endif
            :: r = Y_INTRUDER
            fi;
            a[i].y = r;
            if
            :: r != Y_INTRUDER ->
                if
                :: (g[r].at == SENT_2 || g[r].at == DONE) && TH_2_SAME(i, r) -> a[i].c_r = g[r].c_r; a[i].at = SENT_3
                :: else -> a[i].y = 0
                fi
            :: else -> // it needs a signature of the gateway, which it saw in a session of its own
                k = 0;
                do
                :: k < RESPONDERS && SIGNATURE_SEEN(k) -> a[i].c_r = 2; a[i].at = SENT_3; break
                :: k < RESPONDERS && !SIGNATURE_SEEN(k) -> k++
                :: k == RESPONDERS -> a[i].y = 0; break
                od;
                k = 0
            fi
        // message_2 of method 4: nothing protects C_R.
        :: a[i].at == SENT_1 && a[i].with == PSK ->
            if
            :: g[0].x == X(i) && (g[0].at == SENT_2 || g[0].at == DONE) -> a[i].y = 0
            :: g[1].x == X(i) && (g[1].at == SENT_2 || g[1].at == DONE) -> a[i].y = 1
#if RESPONDERS > 2
            :: g[2].x == X(i) && (g[2].at == SENT_2 || g[2].at == DONE) -> a[i].y = 2
#endif
            :: a[i].y = Y_INTRUDER
            fi;
            if
            :: a[i].c_r = 2
            :: broken == BREAK_SAME_IDENTIFIERS -> a[i].c_r = 1 // else the device ends the session
            :: a[i].y != Y_INTRUDER -> a[i].c_r = 3 // for the intruder's own Y, 2 and 3 make no difference
            fi;
            a[i].at = SENT_3
        // The fourth message: genuine, of the intruder, or the device's own that comes back.
        :: a[i].at == SENT_3 && a[i].y != Y_INTRUDER && g[a[i].y].at == DONE && g[a[i].y].peer == OWNER(i) &&
           TH_3_SAME(i, a[i].y) -> device_done(i)
        :: a[i].at == SENT_3 && a[i].y == Y_INTRUDER && (a[i].with == SIGNED || PSK_KNOWN(OWNER(i))) -> device_done(i)
        // Whether its request was combined shows only here, so it is chosen here.
        :: a[i].at == SENT_3 && a[i].c_r == 1 -> device_done(i)
        :: a[i].at == SENT_3 && broken == BREAK_ONE_KEY && a[i].with == PSK -> device_done(i)
        :: a[i].at == SENT_3 && broken == BREAK_NO_FOURTH_MESSAGE -> device_done(i)
        :: else
        fi;
        i = 0; r = 0 }
    :: atomic { // the gateway's turn
        if
        :: r = 0
        :: g[0].at != NOT_YET -> r = 1
#if RESPONDERS > 2
        :: g[1].at != NOT_YET -> r = 2
#endif
        fi;
        if
        // message_1: of a device, changed or not, or of the intruder.
        :: g[r].at == NOT_YET ->
            if
            :: a[0].at != NOT_YET -> g[r].x = X(0)
            :: a[1].at != NOT_YET -> g[r].x = X(1)
#if INITIATORS > 2
            :: a[2].at != NOT_YET -> g[r].x = X(2)
#endif
            :: g[r].x = X_INTRUDER
            fi;
            if
            :: g[r].with = SIGNED
            :: g[r].with = PSK
            fi;
            if
            :: g[r].suites = STRONG
            :: broken == BREAK_ANY_SUITE_ACCEPTED -> g[r].suites = STRONG_WEAK // else the gateway answers with an error
            :: g[r].x != X_INTRUDER -> g[r].suites = WEAK // for the intruder's own X, suite and C_I make no difference
            fi;
            if
            :: g[r].c_i = 1; g[r].c_r = 2
            :: g[r].x != X_INTRUDER -> g[r].c_i = 2; g[r].c_r = 3
            fi;
            g[r].at = SENT_2
        // message_3 of a device. A copy of it gets the first answer again, and nothing else happens.
        :: g[r].at == SENT_2 || (g[r].at == DONE && broken == BREAK_COPY_STORED_AGAIN) ->
            if
            :: i = 0
            :: i = 1
#if INITIATORS > 2
            :: i = 2
#endif
            :: i = INITIATORS
            fi;
            if
            :: i < INITIATORS ->
                if
                :: (a[i].at == SENT_3 || a[i].at == DONE) && TH_3_SAME(i, r) -> gateway_done(r, OWNER(i))
                // A's signature, taken from a session with the intruder.
                :: broken == BREAK_SIGNATURE_WITHOUT_TH && (a[i].at == SENT_3 || a[i].at == DONE) &&
                   a[i].with == SIGNED && a[i].y == Y_INTRUDER && g[r].with == SIGNED && g[r].x == X_INTRUDER ->
                    gateway_done(r, OWNER(i))
                :: else
                fi
            // message_3 of the intruder, who made X: as E, or as whom its keys let it pass for.
            :: i == INITIATORS && g[r].x == X_INTRUDER ->
                if
                :: gateway_done(r, E)
                :: KNOWN(A) || (g[r].with == PSK && (PSK_KNOWN(A) || broken == BREAK_KID_NAMES_DEVICE)) ->
                    gateway_done(r, A)
                fi
            :: else
            fi
        :: else
        fi;
        i = 0; r = 0 }
    od
}
