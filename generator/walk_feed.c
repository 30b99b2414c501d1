/* walk_feed.c: sub-streams: which there are, and where each ends.
 *
 * What is fed to the same rule or protocol, in the same way, and decoded alike, is one sub-stream. It ends with a
 * `finish` that names it; where there is none below a root, with the message: the rule at the top of the root. */
#include "walker.h"

static bool is_same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_meant(const feed_kind_t *kind, const note_t *note)
{
    return note->rule ? kind->rule == note->rule : !kind->rule && is_same_name(kind->protocol, note->name);
}

static bool is_decoded_alike(const feed_kind_t *kind, const notes_t *decoders)
{
    if (decoders->count != kind->decoders.count)
        return false;
    for (size_t i = 0; i < decoders->count; i++)
        if (decoders->items[i]->reg != kind->decoders.items[i]->reg ||
            !is_same_name(decoders->items[i]->name, kind->decoders.items[i]->name))
            return false;
    return true;
}

const feed_kind_t *walk_feed(walk_t *w, const notes_t *notes)
{
    const note_t *note = walk_note(notes, NOTE_FEED);
    notes_t decoders = {0};
    if (!note)
        return NULL;
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_DECODE)
            vec_push(w->arena, &decoders, notes->items[i]);
    for (size_t i = 0; i < w->feeds.count; i++) {
        const feed_kind_t *kind = w->feeds.items[i];
        if (kind->is_datagram == note->is_datagram && kind->is_excerpt == note->is_excerpt && is_meant(kind, note) && is_decoded_alike(kind, &decoders))
            return kind;
    }
    feed_kind_t *kind = ARENA_NEW(w->arena, feed_kind_t);
    *kind = (feed_kind_t){.rule = note->rule,
                          .protocol = note->name,
                          .is_datagram = note->is_datagram,
                          .is_excerpt = note->is_excerpt,
                          .decoders = decoders,
                          .index = (unsigned)w->feeds.count};
    if (note->rule) {
        node_t *root = ARENA_NEW(w->arena, node_t);
        root->kind = NODE_RULE;
        root->rule = note->rule;
        kind->root = root;
    }
    vec_push(w->arena, &w->feeds, kind);
    return kind;
}

void walk_find_feeds(walk_t *w)
{
    for (size_t i = 0; i < w->grammar->rules.count; i++) {
        const rule_t *rule = w->grammar->rules.items[i];
        walk_feed(w, &rule->notes);
        for (size_t k = 0; k < rule->body->children.count; k++)
            walk_feed(w, &rule->body->children.items[k]->notes);
    }
}

/* ---------------------------------------------------------------- ends */

/* A search below a node for what feeds a sub-stream, or finishes it. */
typedef struct search {
    walk_t *walk;
    const feed_kind_t *kind;
    note_kind_t note; /* NOTE_FEED or NOTE_FINISH */
    bool *is_seen;    /* by rule */
} search_t;

static bool is_below(search_t *s, const node_t *node);

static bool is_in_rule(search_t *s, const rule_t *rule);

static bool is_among(search_t *s, const notes_t *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        const note_t *note = notes->items[i];
        if (note->kind == s->note && is_meant(s->kind, note) &&
            (note->kind == NOTE_FINISH || walk_feed(s->walk, notes) == s->kind))
            return true;
        for (size_t k = 0; k < note->entries.count; k++)
            if (is_in_rule(s, note->entries.items[k].rule))
                return true;
    }
    return false;
}

static bool is_in_rule(search_t *s, const rule_t *rule)
{
    if (s->is_seen[rule->index])
        return false;
    s->is_seen[rule->index] = true;
    return is_among(s, &rule->notes) || is_below(s, rule->body);
}

static bool is_below(search_t *s, const node_t *node)
{
    if (is_among(s, &node->notes) || (node->kind == NODE_RULE && is_in_rule(s, node->rule)))
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        if (is_below(s, node->children.items[i]))
            return true;
    return false;
}

static search_t begin_search(walk_t *w, const feed_kind_t *kind, note_kind_t note)
{
    return (search_t){w, kind, note, ARENA_ARRAY(w->arena, bool, w->grammar->rules.count + 1)};
}

bool walk_finishes(walk_t *w, const feed_kind_t *kind, const notes_t *notes, const rule_t *rule, const frame_t *outer)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == NOTE_FINISH && is_meant(kind, notes->items[i]))
            return true;
    if (!rule || outer->rule)
        return false;
    search_t feeds = begin_search(w, kind, NOTE_FEED), finishes = begin_search(w, kind, NOTE_FINISH);
    return is_in_rule(&feeds, rule) && !is_below(&finishes, outer->root);
}
