/* nfa_intern.c: what states of the NFA refer to by number: elements, conversions, sub-streams. */
#include "nfa_builder.h"

#define ELEMENTS_MAX 5000u

/* ---------------------------------------------------------------- elements and conversions */

static unsigned element_find(const nfa_t *nfa, unsigned parent, const char *name)
{
    for (unsigned i = 0; i < nfa->elements.count; i++)
        if (nfa->elements.items[i].parent == parent && strcmp(nfa->elements.items[i].name, name) == 0)
            return i;
    return ELEMENT_NONE;
}

unsigned nfa_element(builder_t *b, unsigned parent, const char *name)
{
    unsigned found = element_find(b->nfa, parent, name);
    if (found != ELEMENT_NONE)
        return found;
    if (b->nfa->elements.count == ELEMENTS_MAX && !b->is_too_large) {
        diag_error(b->diag, (place_t){0}, "more than %u elements; `%s` is among the last", ELEMENTS_MAX, name);
        b->is_too_large = true;
    }
    element_t element = {.name = name, .parent = parent, .selector = ELEMENT_NONE};
    vec_push(b->arena, &b->nfa->elements, element);
    return (unsigned)b->nfa->elements.count - 1;
}

unsigned nfa_text_size(const conversion_t *conversion)
{
    unsigned longest = 0;
    switch (conversion->kind) {
    case CONVERT_KEYWORD:
        for (size_t i = 0; i < conversion->keywords.count; i++)
            if (strlen(conversion->keywords.items[i]) > longest)
                longest = (unsigned)strlen(conversion->keywords.items[i]);
        return longest;
    case CONVERT_JOIN: /* one more shows that there are too many */
        return JOINED_MAX + 1;
    case CONVERT_BYTES: /* likewise */
        return conversion->reg->size + 1;
    case CONVERT_UNQUOTE: /* likewise, each behind a backslash, and the quote before them */
        return 2 * (conversion->reg->size + 1) + 1;
    default:
        return 0;
    }
}

unsigned nfa_conversion(builder_t *b, const note_t *note, const rule_t *rule)
{
    nfa_t *nfa = b->nfa;
    for (unsigned i = 0; i < nfa->conversions.count; i++) {
        const conversion_t *c = &nfa->conversions.items[i];
        if (c->reg == note->reg && c->kind == note->convert->kind && c->is_unique == note->is_unique && c->rule == rule)
            return i;
    }
    conversion_t conversion = {.kind = note->convert->kind, .reg = note->reg, .is_unique = note->is_unique, .rule = rule};
    for (size_t i = 0; note->reg && i < note->reg->keywords.count; i++)
        vec_push(b->arena, &conversion.keywords, note->reg->keywords.items[i]);
    b->nfa->has_joined |= note->kind == NOTE_PART;
    conversion.text_size = nfa_text_size(&conversion);
    vec_push(b->arena, &nfa->conversions, conversion);
    return (unsigned)nfa->conversions.count - 1;
}

const note_t *nfa_find_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

/* The name under which a rule is emitted, or NULL. */
const char *nfa_emitted_name(const rule_t *rule)
{
    const note_t *emit = nfa_find_note(&rule->notes, NOTE_EMIT);
    if (!emit)
        return NULL;
    return emit->name ? emit->name : rule->name;
}

/* ---------------------------------------------------------------- sub-streams */

/* A `feed` or `finish` means this sub-stream, as far as its name says. */
bool nfa_is_fed_by(const feed_t *feed, const note_t *note)
{
    return note->rule ? feed->rule == note->rule : !feed->rule && strcmp(feed->protocol, note->name) == 0;
}

/* Is it decoded as the notes say? */
static bool is_decoded_by(const feed_t *feed, const notes_t *notes)
{
    size_t count = 0;
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind != NOTE_DECODE)
            continue;
        const note_t *decoder = count < feed->decoders.count ? feed->decoders.items[count] : NULL;
        if (!decoder || decoder->reg != note->reg || !decoder->name != !note->name ||
            (note->name && strcmp(decoder->name, note->name) != 0))
            return false;
        count++;
    }
    return count == feed->decoders.count;
}

unsigned nfa_find_feed(const nfa_t *nfa, const note_t *note, const notes_t *notes)
{
    unsigned i = 0;
    for (; i < nfa->feeds.count; i++) {
        const feed_t *feed = &nfa->feeds.items[i];
        if (feed->is_datagram == note->is_datagram && feed->is_excerpt == note->is_excerpt && nfa_is_fed_by(feed, note) && is_decoded_by(feed, notes))
            break;
    }
    return i;
}

static void add_feed(builder_t *b, const notes_t *notes)
{
    const note_t *note = nfa_find_note(notes, NOTE_FEED);
    if (!note || nfa_find_feed(b->nfa, note, notes) < b->nfa->feeds.count)
        return;
    feed_t feed = {.rule = note->rule, .protocol = note->name, .is_datagram = note->is_datagram, .is_excerpt = note->is_excerpt,
                   .start = STATE_NONE, .search = STATE_NONE};
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_DECODE)
            vec_push(b->arena, &feed.decoders, notes->items[i]);
    vec_push(b->arena, &b->nfa->feeds, feed);
}

/* All sub-streams, before anything is built: what ends with a message depends on what is in it. */
void nfa_find_feeds(builder_t *b)
{
    for (size_t i = 0; i < b->nfa->grammar->rules.count; i++) {
        const rule_t *rule = b->nfa->grammar->rules.items[i];
        add_feed(b, &rule->notes);
        for (size_t k = 0; k < rule->body->children.count; k++)
            add_feed(b, &rule->body->children.items[k]->notes);
    }
}

/* A search for what feeds a sub-stream, or finishes it. */
typedef struct search {
    const nfa_t *nfa;
    const feed_t *feed;
    note_kind_t kind; /* NOTE_FEED or NOTE_FINISH */
    bool *is_seen;    /* rules by index */
} search_t;

static bool is_found_in(search_t *search, const node_t *node);

static bool is_found_among(search_t *search, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == search->kind && nfa_is_fed_by(search->feed, note) &&
            (note->kind == NOTE_FINISH || &search->nfa->feeds.items[nfa_find_feed(search->nfa, note, notes)] == search->feed))
            return true;
        for (size_t k = 0; k < note->entries.count; k++) {
            const node_t reference = {.kind = NODE_RULE, .rule = note->entries.items[k].rule};
            if (is_found_in(search, &reference))
                return true;
        }
    }
    return false;
}

static bool is_found_in(search_t *search, const node_t *node)
{
    if (is_found_among(search, &node->notes))
        return true;
    if (node->kind == NODE_RULE && !search->is_seen[node->rule->index]) {
        search->is_seen[node->rule->index] = true;
        return is_found_among(search, &node->rule->notes) || is_found_in(search, node->rule->body);
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (is_found_in(search, node->children.items[i]))
            return true;
    return false;
}

/* Can reading the node feed the sub-stream, or finish it? */
bool nfa_is_within(const builder_t *b, const node_t *node, note_kind_t kind, const feed_t *feed)
{
    search_t search = {b->nfa, feed, kind, ARENA_ARRAY(b->arena, bool, b->nfa->grammar->rules.count + 1)};
    return is_found_in(&search, node);
}

/* ---------------------------------------------------------------- expressions */

bool nfa_is_shared(const expr_t *expr)
{
    if (!expr)
        return false;
    return (expr->reg && expr->reg->is_shared) || nfa_is_shared(expr->left) || nfa_is_shared(expr->right);
}
