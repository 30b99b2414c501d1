/* until.c: regions that end where a text begins: `until`.
 *
 * The text is looked for ahead of the machine, in the piece and in what is known to come behind it; the machine reads no
 * byte that the text may begin with. Where a piece ends in the middle of what may be the text, the bytes are taken, but
 * kept (`ahead`): as many as the text is long, and one, at most. When more bytes have told, they are read as a piece of their own.
 *
 * Several regions may look for their ends at once, one inside the other, each for a text of its own, which was put
 * together when it began. If an outer one finds its end, those inside end there, too. */
#include <string.h>

#include "parsing.h"

/* Bytes behind the piece are at hand only while those are read that were kept. */
static uint64_t window_end(const qcap_parser_t *p)
{
    size_t next_len = p->piece == side_ahead(p) ? p->conversation->next_len : 0;
    return qcap_offset_of(p, p->piece_end) + next_len;
}

static unsigned char byte_at(const qcap_parser_t *p, uint64_t offset)
{
    uint64_t index = offset - p->piece_offset, len = (uint64_t)(p->piece_end - p->piece);
    return index < len ? p->piece[index] : p->conversation->next[index - len];
}

/* The text that ends a region; behind it, if any text has letters of either case, what is or'ed to bytes before they are compared. */
static unsigned char *text_of(const qcap_parser_t *p, unsigned region)
{
    return side_ends(p) + (size_t)protocol_of(p)->until_size * (side_regions(p)[region].watch - 1u);
}

static bool has_folds(const qcap_parser_t *p)
{
    return protocol_of(p)->until_size > protocol_of(p)->until_max;
}

static unsigned char fold_of(const qcap_parser_t *p, const unsigned char *text, unsigned i)
{
    return has_folds(p) ? text[protocol_of(p)->until_max + i] : 0;
}

/* ---------------------------------------------------------------- beginning */

static void add_bytes(qcap_parser_t *p, unsigned region, const unsigned char *bytes, size_t len, bool is_case_ignored)
{
    unsigned char *text = text_of(p, region);
    qcap_watch_t *w = qcapint_watch(p, region);
    for (size_t i = 0; i < len; i++, w->len++) {
        unsigned char lower = bytes[i] | 0x20u;
        bool is_folded = is_case_ignored && lower >= 'a' && lower <= 'z';
        text[w->len] = is_folded ? lower : bytes[i];
        if (has_folds(p))
            text[protocol_of(p)->until_max + w->len] = is_folded ? 0x20 : 0;
    }
}

bool qcapint_until_begin(qcap_parser_t *p, const qcap_until_t *until)
{
    unsigned region = p->region_count - 1u;
    side_regions(p)[region].watch = (uint16_t)(p->until_count + 1u);
    qcap_watch_t *w = qcapint_watch(p, region);
    *w = (qcap_watch_t){.until = until, .looked = here(p), .is_start = true};
    for (unsigned i = 0; i < until->piece_count; i++) {
        const qcap_piece_t *piece = &until->pieces[i];
        if (piece->reg == QCAP_NONE) {
            add_bytes(p, region, piece->text, piece->len, piece->is_case_ignored);
            continue;
        }
        qcap_bytes_t bytes = qcap_bytes(p, piece->reg & ~QCAP_SHARED, (piece->reg & QCAP_SHARED) != 0);
        if (bytes.state != QCAP_NUMBER_SET || bytes.len == 0)
            return false;
        add_bytes(p, region, bytes.bytes, bytes.len, false);
    }
    p->until_count++;
    return true;
}

/* ---------------------------------------------------------------- looking */

/* The first place before `limit` where the byte is, or `limit`. */
static uint64_t find_byte(const qcap_parser_t *p, uint64_t from, uint64_t limit, unsigned char byte)
{
    uint64_t piece_end = qcap_offset_of(p, p->piece_end);
    if (from < piece_end) {
        const unsigned char *begin = p->piece + (from - p->piece_offset);
        uint64_t end = limit < piece_end ? limit : piece_end;
        const unsigned char *found = memchr(begin, byte, (size_t)(end - from));
        if (found)
            return from + (uint64_t)(found - begin);
        from = end;
    }
    if (from < limit) {
        const unsigned char *begin = p->conversation->next + (from - piece_end);
        const unsigned char *found = memchr(begin, byte, (size_t)(limit - from));
        if (found)
            return from + (uint64_t)(found - begin);
    }
    return limit;
}

typedef enum { FITS_NOT, FITS_SO_FAR, FITS } fit_t;

static bool has_byte(const uint8_t *set, unsigned char byte)
{
    return set[byte >> 3] >> (byte & 7) & 1;
}

/* Can what stands at `at` follow the text? Two bytes are looked at: what begins with the text may be another one. */
static fit_t fit_behind(const qcap_parser_t *p, const qcap_until_t *until, uint64_t at, uint64_t limit, bool is_last)
{
    if (at == limit)
        return is_last ? FITS : FITS_SO_FAR;
    unsigned char first = byte_at(p, at);
    if (!has_byte(until->next, first))
        return FITS_NOT;
    for (unsigned i = 0; i < until->two_count; i++) {
        if (!has_byte(until->twos[i].first, first))
            continue;
        if (at + 1 == limit)
            return is_last ? FITS : FITS_SO_FAR;
        return has_byte(until->twos[i].second, byte_at(p, at + 1)) ? FITS : FITS_NOT;
    }
    return FITS;
}

/* Does the text stand at `at`? Known are the bytes before `limit`; is_last: there are no others. */
static fit_t fit(const qcap_parser_t *p, unsigned region, uint64_t at, uint64_t limit, bool is_last)
{
    const qcap_watch_t *w = qcapint_watch(p, region);
    const unsigned char *text = text_of(p, region);
    for (unsigned i = 0; i < w->len; i++) {
        if (at + i == limit)
            return is_last ? FITS_NOT : FITS_SO_FAR;
        if ((byte_at(p, at + i) | fold_of(p, text, i)) != text[i])
            return FITS_NOT;
    }
    if (!w->until->next)
        return FITS;
    return fit_behind(p, w->until, at + w->len, limit, is_last);
}

/* The next place from `at` on where the text may begin, or `limit`. */
static uint64_t next_candidate(const qcap_parser_t *p, unsigned region, uint64_t at, uint64_t limit)
{
    const unsigned char *text = text_of(p, region), fold = fold_of(p, text, 0);
    if (fold == 0)
        return find_byte(p, at, limit, text[0]);
    while (at < limit && (byte_at(p, at) | fold) != text[0])
        at++;
    return at;
}

/* The next beginning of a line behind `at`, or `limit`, which may or may not be one. */
static uint64_t next_line(const qcap_parser_t *p, qcap_watch_t *w, uint64_t at, uint64_t limit)
{
    uint64_t found = find_byte(p, at, limit, '\n');
    if (found == limit) {
        w->is_start = false;
        w->before = byte_at(p, limit - 1);
        return limit;
    }
    w->is_start = (found > at ? byte_at(p, found - 1) : w->before) == '\r';
    w->before = '\n';
    return found + 1;
}

/* The region, and those in it, end at `at`. */
static void end_at(qcap_parser_t *p, unsigned region, uint64_t at)
{
    qcapint_watch(p, region)->is_found = true;
    for (unsigned i = region; i < p->region_count; i++) {
        if (side_regions(p)[i].is_jump || side_regions(p)[i].end <= at)
            continue;
        side_regions(p)[i].end = at;
        side_regions(p)[i].is_cut = i > region;
    }
}

/* Looks in the bytes before `limit`: those behind it may belong to what ends a region around this one. */
static void look(qcap_parser_t *p, unsigned region, uint64_t limit)
{
    qcap_watch_t *w = qcapint_watch(p, region);
    bool is_last = side_regions(p)[region].end <= limit || (p->is_last && limit == window_end(p));
    limit = side_regions(p)[region].end < limit ? side_regions(p)[region].end : limit;
    while (w->looked < limit) {
        if (!w->until->is_line)
            w->looked = next_candidate(p, region, w->looked, limit);
        if (w->looked == limit)
            return;
        fit_t found = w->until->is_line && !w->is_start ? FITS_NOT : fit(p, region, w->looked, limit, is_last);
        if (found == FITS)
            end_at(p, region, w->looked);
        if (found != FITS_NOT)
            return;
        w->looked = w->until->is_line ? next_line(p, w, w->looked, limit) : w->looked + 1;
    }
}

/* The first region that is looked at: where reading is elsewhere in a datagram, those around that are not. */
static unsigned first_region(const qcap_parser_t *p)
{
    unsigned i = p->region_count;
    while (i > 0 && !side_regions(p)[i - 1].is_jump)
        i--;
    return i;
}

void qcapint_until_look(qcap_parser_t *p)
{
    uint64_t limit = window_end(p);
    for (unsigned i = first_region(p); i < p->region_count; i++) {
        if (!is_watched(p, i) || qcapint_watch(p, i)->is_found)
            continue;
        const qcap_watch_t *w = qcapint_watch(p, i);
        look(p, i, limit);
        if (!w->is_found && w->looked < limit)
            limit = w->looked;
    }
}

uint64_t qcapint_until_safe(const qcap_parser_t *p)
{
    uint64_t safe = UINT64_MAX;
    for (unsigned i = first_region(p); i < p->region_count; i++) {
        if (is_watched(p, i) && !qcapint_watch(p, i)->is_found && qcapint_watch(p, i)->looked < safe)
            safe = qcapint_watch(p, i)->looked;
    }
    return safe;
}
