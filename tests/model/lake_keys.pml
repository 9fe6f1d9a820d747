// SPDX-License-Identifier: Apache-2.0
/* The life of a device's keys: handshakes, resumption, loss, copies and crashes, at one device and its gateway.
 *
 * A session is its number: session s leaves the context s and the resumption key s (rPSK) behind. Session 0 is the
 * enrolment, so "key 0" is what an enrolled device never loses: its external PSK, or its credentials of method 0.
 * The two sides keep their durable state as sets of such numbers.
 *
 * The network keeps every message and delivers it late, twice, or never. It also divides a combined request
 * [RFC9668] into message_3 and the OSCORE request, because the EDHOC option is not protected. A crash can come
 * between any two durable steps of either side.
 *
 * At some moment the network becomes calm: nothing more is lost and nobody crashes, but what was delayed may still
 * arrive. From then on the device must reach a confirmed new session with two handshakes at most. A run that cannot
 * go on before that is an error (an invalid end state).
 *
 * The rules without which it fails, beside the order of the durable steps:
 *   - The device's request with own number 0 confirms nothing. So a request that was sent with message_3 never does,
 *     in whatever form it arrives.
 *   - The gateway refuses message_3 of a session if it accepted a later session of the same device. A device has one
 *     session at a time, so it gave the earlier one up, but its message_3 may be late.
 *   - message_3 under rPSK_i proves that the device finished session i and no later one. So of all contexts and keys
 *     the gateway keeps those of session i and the new ones.
 *   - A confirming request deletes what is older than its session, and nothing newer.
 *   - Under the external PSK the gateway cannot know what the device still holds. It keeps everything, and when three
 *     contexts are full any of them may make room: refusing instead would lock the device out.
 *   - An OSCORE response to the device's number 0 is a fourth message, also if the gateway forgot the session.
 *
 * Left out: what a message holds and who can make it (lake.pml), numbers and windows of OSCORE (model.sessions), the
 * expiry of contexts, a second device (devices share no keys).
 *
 * The environment variable LARCH_BREAK is the number of a rule that is broken, or of a witness: a claim that some good
 * thing never happens. The test expects an error for each. */

#ifndef SESSIONS
#define SESSIONS 3 // before the network is calm; two more behind it
#endif
#ifndef CRASHES
#define CRASHES 1 // of each side
#endif
#ifndef LOSSES
#define LOSSES 1 // the device loses all but its enrolment; the gateway is restored without sessions
#endif
#define MOST_CONTEXTS 3

// LARCH_BREAK and the property that then fails.
#define BREAK_GATEWAY_DELETES_USED_KEY 1     // common_key: rPSK_i goes already at message_3
#define BREAK_GATEWAY_DELETES_OLD_CONTEXT 2  // common_context: the old context goes already at message_3
#define BREAK_GATEWAY_ANSWERS_FIRST 3        // common_context: the fourth message leaves before the transaction
#define BREAK_GATEWAY_WRITES_TWICE 4         // common_key: context and rPSK are not one transaction
#define BREAK_DEVICE_WRITES_TWICE 5          // device_has_key: context and rPSK are not one write
#define BREAK_DEVICE_DELETES_FIRST 6         // device_has_key: rPSK_i goes before the write
#define BREAK_COMBINED_CONFIRMS 7            // both_durable: the request inside a combined message_3 confirms
#define BREAK_OPTION_DECIDES 8               // both_durable: that request confirms when it comes without message_3
#define BREAK_LATE_MESSAGE_3 9               // common_context: message_3 of an overtaken session counts
#define BREAK_CONFIRM_DELETES_NEWER 10       // common_context: the confirming request deletes newer sessions too
#define BREAK_OLD_KEY_STAYS 11               // old_keys_gone: message_3 under rPSK_i leaves rPSK_(i-1)
#define BREAK_CONFIRM_DELETES_NOTHING 12     // old_keys_gone: the confirming request leaves rPSK_i
#define BREAK_DEVICE_KEEPS_OLD_KEY 13        // old_keys_gone: the device sends before it deleted rPSK_i
#define BREAK_DEVICE_SENDS_EARLY 14          // both_durable: the device uses the context before its write
#define BREAK_NO_FALLBACK 15                 // end state: the device uses its external PSK once only
#define BREAK_PLACES_REFUSE 16               // recovery: a full set of contexts refuses a handshake
#define WITNESS_RESUMED_TWICE 40             // never_resumed: three sessions in a row, two by resumption
#define WITNESS_CALM_BY_RESUMPTION 41        // never_by_resumption: a calm network, and rPSK serves
#define WITNESS_CALM_BY_EXTERNAL 42          // never_by_external: rPSK is refused, the external PSK serves
#define WITNESS_DIVIDED 43                   // never_divided: a divided request ends in a session
#define WITNESS_EVICTED 44                   // never_evicted: handshakes under the external PSK fill the contexts

// The names of the properties, for the report: always false.
bool common_context, common_key, device_has_key, both_durable, old_keys_gone, recovery;
bool never_resumed, never_by_resumption, never_by_external, never_divided, never_evicted;
#define HOLDS(property, condition) assert(property || (condition))

#define EXTERNAL 0
#define LAST (SESSIONS + 2)
#define SET(s) (1 << (s))
#define IN(s, set) (((set) & SET(s)) != 0)
#define BELOW(s) (SET(s) - 1)
#define COUNT(set) (IN(1, set) + IN(2, set) + IN(3, set) + IN(4, set) + IN(5, set) + IN(6, set) + IN(7, set))

mtype = { IDLE, SENT_1, SENT_3, GOT_4, STORED };

byte broken;

// The device. Durable:
byte d_context, d_key, d_old_key; // a session each; 0: none
// In memory:
mtype d_at = IDLE;
byte d_session;   // the newest that it started; a name, not a thing that it keeps
byte d_with;      // the key under which it shakes hands
bool d_combined;  // message_3 carries a request, and an OSCORE response is the fourth message
bool d_half;      // BREAK_DEVICE_WRITES_TWICE: the context is written

// The gateway. Durable:
byte g_contexts, g_keys;
// In memory:
byte g_open;      // sessions that wait for message_3
byte g_to_answer; // sessions that are stored and not yet answered; 0: none
byte g_to_store;  // BREAK_GATEWAY_ANSWERS_FIRST, _WRITES_TWICE: a session of which all or a part waits to be written
byte g_newest;    // the newest session that was accepted

// The network: only what can still have an effect.
byte n_message_3; // sessions whose message_3 was sent
byte n_with[LAST + 1];
byte n_request_0; // sessions whose request inside message_3 was sent
byte n_request;   // sessions under whose context another request was sent
bool n_message_4, n_response; // answers for the device's present session

byte d_crashes, g_crashes, losses;
bool calm;
byte calm_session; // the last session before the network was calm
bool refused;      // the gateway refused message_3 of the present session
bool lost, evicted; // a side lost its state, or a context had to make room, and no session was confirmed since
bool divided;
bool confirmed;

inline pick(s, set) {
    if
    :: IN(1, set) -> s = 1
    :: IN(2, set) -> s = 2
    :: IN(3, set) -> s = 3
    :: IN(4, set) -> s = 4
    :: IN(5, set) -> s = 5
    :: IN(6, set) -> s = 6
    :: IN(7, set) -> s = 7
    fi
}

// Messages without any further effect leave the network, so that fewer states differ.
inline tidy() {
    n_message_3 = n_message_3 & g_open;
    n_request = n_request & g_contexts;
    n_request_0 = n_request_0 & (g_contexts | g_open);
    if
    :: d_at != SENT_3 -> n_message_4 = false; n_response = false
    :: else
    fi;
    if
    :: d_at == SENT_1 || d_at == SENT_3 -> skip
    :: else -> d_with = 0; d_combined = false
    fi;
    g_open = g_open & (n_message_3 | (d_at == SENT_1 || d_at == SENT_3 -> SET(d_session) : 0));
    s = 1;
    do
    :: s <= LAST && !IN(s, n_message_3) -> n_with[s] = 0; s++
    :: s <= LAST && IN(s, n_message_3) -> s++
    :: s > LAST -> break
    od;
    s = 0
}

inline check() {
    HOLDS(common_context, lost || evicted || d_context == 0 || IN(d_context, g_contexts));
    HOLDS(common_key, lost || evicted || d_key == 0 || IN(d_key, g_keys));
    HOLDS(device_has_key, d_context == 0 || d_key != 0);
    HOLDS(recovery, COUNT(g_contexts) <= MOST_CONTEXTS && COUNT(g_keys) <= MOST_CONTEXTS)
}

// The first transaction: message_3 of s, under key k, was verified.
inline store(s, k) {
    if
    :: k != EXTERNAL && broken != BREAK_OLD_KEY_STAYS ->
        // The device holds session k and none that is newer. Those before k, and those it gave up, are of no use.
        g_keys = (broken == BREAK_GATEWAY_DELETES_USED_KEY -> 0 : SET(k));
        g_contexts = (broken == BREAK_GATEWAY_DELETES_OLD_CONTEXT -> 0 : g_contexts & SET(k))
    :: else
    fi;
    g_contexts = g_contexts | SET(s);
    g_keys = g_keys | SET(s);
    if
    :: k != EXTERNAL -> HOLDS(old_keys_gone, (g_keys & BELOW(k)) == 0 && (g_contexts & BELOW(k)) == 0)
    :: else
    fi;
    g_newest = s
}

// The second transaction: a request under the context of s.
inline confirm(s) {
    HOLDS(both_durable, d_context >= s || lost);
    if
    :: broken == BREAK_CONFIRM_DELETES_NEWER -> g_contexts = SET(s); g_keys = g_keys & SET(s)
    :: broken == BREAK_CONFIRM_DELETES_NOTHING -> skip
    :: else -> g_contexts = g_contexts & ~BELOW(s); g_keys = g_keys & ~BELOW(s)
    fi;
    HOLDS(old_keys_gone, (g_keys & BELOW(s)) == 0 && (g_contexts & BELOW(s)) == 0);
    if
    :: s == d_context -> lost = false; evicted = false // from here on they hold the same again
    :: else
    fi;
    if
    :: calm && s > calm_session -> confirmed = true
    :: else
    fi
}

inline start_of_gateway() {
    g_open = 0; g_to_answer = 0; g_to_store = 0; g_newest = 0 // no session from before is open
}

active proctype world() {
    byte s, k;
    c_code { const char *text = getenv("LARCH_BREAK"); now.broken = text ? atoi(text) : 0; };
    do
    // The device starts a handshake.
    :: atomic { !calm && d_at == IDLE && d_old_key == 0 && d_session < SESSIONS ->
        if
        :: !(broken == BREAK_NO_FALLBACK && d_session > 0) -> d_with = EXTERNAL
        :: d_key != 0 -> d_with = d_key
        fi;
        if
        :: d_combined = true
        :: d_combined = false
        fi;
        d_session++; d_at = SENT_1; refused = false; check(); tidy() }
    :: atomic { calm && d_at == IDLE && d_old_key == 0 && !confirmed && d_session < LAST &&
                (d_session == calm_session || (refused && d_session == calm_session + 1)) ->
        if
        :: d_session == calm_session && d_key != 0 -> d_with = d_key
        :: !(d_session == calm_session && d_key != 0) && broken != BREAK_NO_FALLBACK -> d_with = EXTERNAL
        fi;
        if
        :: d_combined = true
        :: d_combined = false
        fi;
        d_session++; d_at = SENT_1; refused = false; check(); tidy() }
    // message_1 and message_2. A copy of message_1 gets the same message_2; one that comes later leads nowhere.
    :: atomic { d_at == SENT_1 && !IN(d_session, g_open) -> g_open = g_open | SET(d_session); check(); tidy() }
    :: atomic { d_at == SENT_1 && IN(d_session, g_open) ->
        d_at = SENT_3;
        n_message_3 = n_message_3 | SET(d_session);
        n_with[d_session] = d_with;
        if
        :: d_combined -> n_request_0 = n_request_0 | SET(d_session)
        :: else
        fi;
        check(); tidy() }
    // message_3, whole or out of a combined request. The session ends with it.
    :: atomic { g_to_answer == 0 && g_to_store == 0 && (n_message_3 & g_open) != 0 ->
        pick(s, n_message_3 & g_open);
        g_open = g_open & ~SET(s);
        k = n_with[s];
        if
        :: (k != EXTERNAL && !IN(k, g_keys)) ||
           (s < g_newest && broken != BREAK_LATE_MESSAGE_3) ||
           (broken == BREAK_PLACES_REFUSE && COUNT(g_contexts) == MOST_CONTEXTS) ->
            HOLDS(recovery, !(calm && s == d_session && k == EXTERNAL));
            if
            :: s == d_session -> refused = true
            :: else
            fi
        :: else ->
            HOLDS(never_by_resumption, !(broken == WITNESS_CALM_BY_RESUMPTION && calm && k != EXTERNAL));
            if
            :: k == EXTERNAL && COUNT(g_contexts) == MOST_CONTEXTS -> // one makes room: whichever
                pick(k, g_contexts);
                g_contexts = g_contexts & ~SET(k);
                g_keys = g_keys & ~SET(k);
                evicted = true;
                HOLDS(never_evicted, broken != WITNESS_EVICTED);
                k = EXTERNAL
            :: else
            fi;
            if
            :: broken == BREAK_GATEWAY_ANSWERS_FIRST -> g_to_store = s; g_to_answer = s
            :: broken == BREAK_GATEWAY_WRITES_TWICE ->
                g_contexts = g_contexts | SET(s); g_to_store = s; g_to_answer = s
            :: else -> store(s, k); g_to_answer = s
            fi
        fi;
        k = 0; check(); tidy() }
    :: atomic { g_to_store != 0 && g_to_answer == 0 -> // only when broken
        store(g_to_store, EXTERNAL); g_to_store = 0; check(); tidy() }
    // Its answer: message_4, or the response to the request that came with it. A copy of message_3 gets it again.
    :: atomic { g_to_answer != 0 ->
        s = g_to_answer; g_to_answer = 0;
        if
        :: s == d_session && d_at == SENT_3 && d_combined -> // the whole request arrived
            n_response = true;
            if
            :: broken == BREAK_COMBINED_CONFIRMS -> confirm(s)
            :: else
            fi
        :: s == d_session && d_at == SENT_3 -> n_message_4 = true
        :: s == d_session && d_at == SENT_3 && d_combined && !calm -> divided = true // nobody waits for message_4
        :: else
        fi;
        check(); tidy() }
    // The request of a combined one, without its message_3 or with one whose session is gone.
    :: atomic { (n_request_0 & g_contexts) != 0 ->
        pick(s, n_request_0 & g_contexts);
        n_request_0 = n_request_0 & ~SET(s);
        if
        :: s == d_session && d_at == SENT_3 -> n_response = true
        :: else
        fi;
        if
        :: broken == BREAK_OPTION_DECIDES -> confirm(s)
        :: else // its number is 0, and number 0 confirms nothing
        fi;
        check(); tidy() }
    // The fourth message, and the device's durable steps.
    :: atomic { d_at == SENT_3 && (d_combined -> n_response : n_message_4) ->
        HOLDS(never_divided, !(broken == WITNESS_DIVIDED && divided));
        d_at = GOT_4; divided = false;
        if
        :: broken == BREAK_DEVICE_DELETES_FIRST -> d_key = 0
        :: else
        fi;
        check(); tidy() }
    :: atomic { d_at == GOT_4 && broken == BREAK_DEVICE_WRITES_TWICE && !d_half ->
        d_context = d_session; d_half = true }
    :: atomic { d_at == GOT_4 && (broken != BREAK_DEVICE_WRITES_TWICE || d_half) ->
        HOLDS(never_resumed, !(broken == WITNESS_RESUMED_TWICE && d_session == 3 && d_key == 2 && d_context == 2 &&
                               IN(2, g_keys) && !IN(1, g_keys)));
        d_context = d_session; d_old_key = d_key; d_key = d_session; d_at = STORED; d_half = false;
        check(); tidy() }
    :: atomic { d_old_key != 0 || d_at == STORED -> d_old_key = 0; d_at = IDLE; check(); tidy() }
    // A later request, also while a handshake runs.
    :: atomic { (d_at == IDLE || d_at == SENT_1 || d_at == SENT_3 || broken == BREAK_DEVICE_KEEPS_OLD_KEY) &&
                (d_old_key == 0 || broken == BREAK_DEVICE_KEEPS_OLD_KEY) &&
                d_context != 0 && IN(d_context, g_contexts) && !IN(d_context, n_request) ->
        HOLDS(old_keys_gone, d_old_key == 0);
        n_request = n_request | SET(d_context); check(); tidy() }
    :: atomic { broken == BREAK_DEVICE_SENDS_EARLY && d_at == GOT_4 && !IN(d_session, n_request) ->
        n_request = n_request | SET(d_session) }
    :: atomic { (n_request & g_contexts) != 0 ->
        pick(s, n_request & g_contexts);
        n_request = n_request & ~SET(s);
        HOLDS(never_by_external, !(broken == WITNESS_CALM_BY_EXTERNAL && calm && s == calm_session + 2));
        confirm(s); check(); tidy() }
    // The device gives a handshake up.
    :: atomic { (d_at == SENT_1 || d_at == SENT_3) && (!calm || refused) -> d_at = IDLE; check(); tidy() }
    // Crashes and losses.
    :: atomic { !calm && d_crashes < CRASHES && d_at != IDLE ->
        d_crashes++; d_at = IDLE; d_half = false; check(); tidy() }
    :: atomic { !calm && g_crashes < CRASHES && (g_open != 0 || g_to_answer != 0 || g_to_store != 0 || g_newest != 0) ->
        g_crashes++; start_of_gateway(); check(); tidy() }
    :: atomic { !calm && losses < LOSSES && d_key != 0 ->
        losses++; lost = true; d_context = 0; d_key = 0; d_old_key = 0; d_at = IDLE; d_half = false; check(); tidy() }
    :: atomic { !calm && losses < LOSSES && g_contexts != 0 ->
        losses++; lost = true; g_contexts = 0; g_keys = 0; start_of_gateway(); check(); tidy() }
    // The network becomes calm. What the gateway forgot cannot be answered, so a handshake on its way is given up.
    :: atomic { !calm ->
        calm = true; refused = false; calm_session = d_session;
        d_crashes = 0; g_crashes = 0; losses = 0;
        if
        :: d_at == SENT_1 || d_at == SENT_3 -> d_at = IDLE
        :: else
        fi;
        check(); tidy() }
    :: confirmed -> break
    od
}
