/* SPDX-License-Identifier: Apache-2.0 */
/* The known-gateways file as lines in memory: what may stand beside what, what is found, what changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "send/known_int.h"

#define FILE_LINES_MAX 4096 /* that a person can still read */

larch_error known_because(char *why, larch_error error, const char *path, const char *what)
{
    (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.380s: %.120s", path, what);
    return error;
}

larch_error known_because_line(char *why, const char *path, size_t number, const char *what)
{
    (void)snprintf(why, LARCH_KNOWN_WHY_MAX, "%.380s: line %zu %.100s", path, number, what);
    return LARCH_MALFORMED;
}

/* ---- lines ----------------------------------------------------------------- */

/* Puts a line in; text is owned by the book from then on. */
static bool insert(known_book *book, size_t at, known_line line)
{
    if (line.text == NULL)
        return false;
    if (book->count == book->cap) {
        const size_t cap = 2 * book->cap + 16;
        known_line *lines = realloc(book->lines, cap * sizeof *lines);
        if (lines == NULL) {
            free(line.text);
            return false;
        }
        book->lines = lines;
        book->cap = cap;
    }
    memmove(book->lines + at + 1, book->lines + at, (book->count - at) * sizeof *book->lines);
    book->lines[at] = line;
    book->count++;
    return true;
}

static void drop(known_book *book, size_t at)
{
    free(book->lines[at].text);
    memmove(book->lines + at, book->lines + at + 1, (book->count - at - 1) * sizeof *book->lines);
    book->count--;
}

static bool insert_of(known_book *book, size_t at, known_kind kind, size_t record, const larch_known *content)
{
    char text[KNOWN_LINE_MAX];
    known_line_format(kind, content, text);
    return insert(book, at, (known_line){kind, strdup(text), record, *content});
}

void known_book_free(known_book *book)
{
    while (book->count > 0)
        drop(book, book->count - 1);
    free(book->lines);
    *book = (known_book){0};
}

/* ---- reading --------------------------------------------------------------- */

static bool has_name(const known_line *l) { return l->kind == KNOWN_NAME || l->kind == KNOWN_KEY; }

/* What is wrong with a line behind the others, each of which is sound; NULL: nothing. */
static const char *find_conflict(const known_book *book, const known_line *line)
{
    for (size_t i = 0; i < book->count; i++) {
        const known_line *l = &book->lines[i];
        if (line->kind == KNOWN_IDENTITY && l->kind == KNOWN_IDENTITY &&
            memcmp(l->content.pin.bytes, line->content.pin.bytes, sizeof l->content.pin.bytes) == 0)
            return "repeats an identity; keep the right one";
        if (line->kind == KNOWN_SET && l->kind == KNOWN_SET && l->record == line->record &&
            l->content.kem == line->content.kem)
            return "repeats a parameter set; keep the right one";
        if (!has_name(line) || !has_name(l) || !known_is_same_name(l->content.name, line->content.name))
            continue;
        if (l->kind != line->kind)
            return "gives a gateway of another line a second kind of trust; keep the right one";
        if (line->kind == KNOWN_NAME ||
            (l->content.kem == line->content.kem && strcmp(l->content.name, line->content.name) == 0))
            return "repeats a gateway; keep the right one";
    }
    return NULL;
}

/* Takes one line of len bytes, its end included. Returns what is wrong with it, or NULL. */
static const char *take_line(known_book *book, known_line *line, char *cut, size_t len, bool old)
{
    const char *wrong = NULL;
    larch_fingerprint identity = {0};
    if (cut[len - 1] != '\n' || strlen(cut) != len)
        return "is damaged; repair or delete it"; /* cut short, or with a zero byte */
    cut[len - 1] = '\0';
    for (size_t i = book->count; i > 0 && line->record > 0 && identity.kind == 0; i--)
        if (book->lines[i - 1].kind == KNOWN_IDENTITY)
            identity = book->lines[i - 1].content.pin;
    if (!old)
        wrong = known_line_parse(cut, identity.kind != 0 ? &identity : NULL, &line->kind, &line->content);
    else if (cut[0] != '#' && cut[0] != '\0') {
        line->kind = KNOWN_KEY;
        wrong = known_line_parse_old(cut, &line->content);
    }
    if (line->kind == KNOWN_IDENTITY)
        line->record = book->records + 1;
    else if (line->kind == KNOWN_KEY)
        line->record = 0;
    return wrong != NULL ? wrong : find_conflict(book, line);
}

/* Whether the first line says that the rest can be read; it is not kept. */
static const char *take_first(const char *line)
{
    if (strcmp(line, known_first_line) == 0)
        return NULL;
    return strncmp(line, "larch-gateways ", 15) == 0 ? "is of a newer larch, or damaged; this larch cannot read it"
                                                     : "is damaged; this is no file of known gateways";
}

/* Puts a line of text, which is cut, behind the others. Returns what is wrong with it, or NULL; *full: memory is. */
static const char *add_line(known_book *book, char *text, size_t len, bool old, bool *full)
{
    known_line line = {.text = strdup(text), .record = book->count > 0 ? book->lines[book->count - 1].record : 0};
    *full = line.text == NULL;
    if (*full)
        return NULL;
    const char *wrong = take_line(book, &line, text, len, old);
    if (wrong != NULL || old)
        free(line.text);
    if (wrong != NULL)
        return wrong;
    if (old) { /* a line of this format instead */
        *full = line.kind == KNOWN_KEY && !insert_of(book, book->count, KNOWN_KEY, 0, &line.content);
        return NULL;
    }
    book->records += line.kind == KNOWN_IDENTITY;
    *full = !insert(book, book->count, line);
    return NULL;
}

larch_error known_book_read(known_book *book, FILE *in, bool old, const char *path, char *why)
{
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    larch_error e = LARCH_OK;
    for (size_t number = 1; e == LARCH_OK && (len = getline(&text, &cap, in)) > 0; number++) {
        bool full = false;
        const char *wrong = number > FILE_LINES_MAX ? "is beyond the most that is read, 4096 lines; delete gateways"
                            : number == 1 && !old   ? take_first(text)
                                                    : add_line(book, text, (size_t)len, old, &full);
        if (wrong != NULL)
            e = known_because_line(why, path, number, wrong);
        else if (full)
            e = known_because(why, LARCH_PLATFORM, path, strerror(ENOMEM));
    }
    if (e == LARCH_OK && ferror(in))
        e = known_because(why, LARCH_PLATFORM, path, strerror(errno));
    free(text);
    return e;
}

/* ---- finding --------------------------------------------------------------- */

/* The number of the record of an identity; 0: none. */
static size_t record_of(const known_book *book, const uint8_t identity[LARCH_FINGERPRINT_LEN])
{
    for (size_t i = 0; i < book->count; i++)
        if (book->lines[i].kind == KNOWN_IDENTITY &&
            memcmp(book->lines[i].content.pin.bytes, identity, LARCH_FINGERPRINT_LEN) == 0)
            return book->lines[i].record;
    return 0;
}

/* What a record holds of a set. */
static void load(const known_book *book, size_t record, const char *name, const larch_kem *kem, larch_known *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < book->count; i++) {
        const known_line *l = &book->lines[i];
        if (l->record != record)
            continue;
        if (l->kind == KNOWN_IDENTITY)
            out->pin = l->content.pin;
        else if (l->kind == KNOWN_SET && l->content.kem == kem)
            *out = l->content;
    }
    out->kem = kem;
    (void)snprintf(out->name, sizeof out->name, "%s", name);
}

/* The line of a name that says whom it stands for, with this set; the name itself goes before others of this machine,
 * which an older larch kept apart. book->count: there is none. */
static size_t line_of(const known_book *book, const char *name, const larch_kem *kem)
{
    size_t at = book->count;
    for (size_t i = 0; i < book->count; i++) {
        const known_line *l = &book->lines[i];
        if (!has_name(l) || (l->kind == KNOWN_KEY && l->content.kem != kem))
            continue;
        if (strcmp(l->content.name, name) == 0)
            return i;
        if (at == book->count && known_is_same_name(l->content.name, name))
            at = i;
    }
    return at;
}

static const larch_kem *find_other_set(const known_book *book, const char *name)
{
    for (size_t i = 0; i < book->count; i++)
        if (book->lines[i].kind == KNOWN_KEY && known_is_same_name(book->lines[i].content.name, name))
            return book->lines[i].content.kem;
    return NULL;
}

larch_error known_book_find(const known_book *book, const char *name, const larch_kem *kem, larch_known *out)
{
    const size_t at = line_of(book, name, kem);
    memset(out, 0, sizeof *out);
    if (at == book->count) {
        out->other = find_other_set(book, name);
        return LARCH_STATE;
    }
    if (book->lines[at].kind == KNOWN_NAME)
        load(book, book->lines[at].record, name, kem, out);
    else
        *out = book->lines[at].content;
    return LARCH_OK;
}

larch_error known_book_find_identity(const known_book *book, const uint8_t identity[LARCH_FINGERPRINT_LEN],
                                     const char *name, const larch_kem *kem, larch_known *out, bool *near)
{
    const size_t record = record_of(book, identity);
    memset(out, 0, sizeof *out);
    *near = record != 0 && known_is_loopback(name);
    if (record == 0)
        return LARCH_STATE;
    for (size_t i = 0; i < book->count; i++)
        *near |= book->lines[i].kind == KNOWN_NAME && book->lines[i].record == record &&
                 known_is_same_host(book->lines[i].content.name, name);
    load(book, record, name, kem, out);
    return LARCH_OK;
}

/* ---- changing -------------------------------------------------------------- */

static bool is_same_pin(const larch_known *a, const larch_known *b)
{
    return a->pin.kind == b->pin.kind && memcmp(a->pin.bytes, b->pin.bytes, sizeof a->pin.bytes) == 0;
}

/* Puts the content of a set's or key's line in place of what it holds. */
static bool replace(known_book *book, size_t at, const larch_known *content)
{
    const known_kind kind = book->lines[at].kind;
    const size_t record = book->lines[at].record;
    drop(book, at);
    return insert_of(book, at, kind, record, content);
}

static bool put_key(known_book *book, const larch_known *record)
{
    const size_t at = line_of(book, record->name, record->kem);
    larch_known content = *record;
    if (at == book->count)
        return insert_of(book, at, KNOWN_KEY, 0, record);
    memcpy(content.name, book->lines[at].content.name, sizeof content.name);
    return replace(book, at, &content);
}

/* Where the lines of a record end, and what of this name and set stands there. */
static size_t end_of_record(const known_book *book, const larch_known *record, size_t number, bool *named, size_t *set)
{
    size_t end = 0;
    *named = false;
    *set = book->count;
    for (size_t i = 0; i < book->count; i++) {
        const known_line *l = &book->lines[i];
        if (l->record != number || l->kind == KNOWN_COMMENT)
            continue;
        end = i + 1;
        *named |= l->kind == KNOWN_NAME && known_is_same_name(l->content.name, record->name);
        if (l->kind == KNOWN_SET && l->content.kem == record->kem)
            *set = i;
    }
    return end;
}

/* Whether another process wrote an endorsement that is newer than ours since the caller looked. */
static bool is_newer(const larch_known *there, const larch_known *ours, const larch_known *seen)
{
    const bool changed = !seen->has_keys || there->endorsed_s != seen->endorsed_s;
    return changed && there->endorsed_s >= ours->endorsed_s;
}

static bool put_identity(known_book *book, const larch_known *record, const larch_known *seen)
{
    size_t number = record_of(book, record->pin.bytes), set;
    bool named;
    for (size_t i = book->count; i > 0; i--) /* the name stands for the identity from now on */
        if (book->lines[i - 1].kind == KNOWN_KEY && known_is_same_name(book->lines[i - 1].content.name, record->name))
            drop(book, i - 1);
    if (number == 0) {
        number = ++book->records;
        if (!insert_of(book, book->count, KNOWN_IDENTITY, number, record))
            return false;
    }
    size_t end = end_of_record(book, record, number, &named, &set);
    if (set < book->count && record->has_keys && !is_newer(&book->lines[set].content, record, seen) &&
        !replace(book, set, record))
        return false;
    if (!named && !insert_of(book, end++, KNOWN_NAME, number, record))
        return false;
    return set < book->count - !named || !record->has_keys || insert_of(book, end, KNOWN_SET, number, record);
}

larch_error known_book_put(known_book *book, const larch_known *record, const larch_known *seen, const char *path,
                           char *why)
{
    larch_known there;
    (void)!known_book_find(book, record->name, record->kem, &there);
    const bool unchanged = is_same_pin(&there, seen) && (there.other == NULL || seen->other != NULL);
    const bool ours = record->pin.kind == LARCH_FINGERPRINT_IDENTITY && is_same_pin(&there, record);
    if (!unchanged && !ours)
        return known_because(why, LARCH_STATE, path, "another process changed this gateway's record just now");
    if (there.pin.kind == LARCH_FINGERPRINT_IDENTITY && !ours)
        return known_because(why, LARCH_STATE, path, "the name stands for an identity, which nothing replaces");
    return (record->pin.kind == LARCH_FINGERPRINT_IDENTITY ? put_identity(book, record, seen) : put_key(book, record))
               ? LARCH_OK
               : known_because(why, LARCH_PLATFORM, path, strerror(ENOMEM));
}
