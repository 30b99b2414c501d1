/* walk.c: spots, made as readings get there.
 *
 * What follows a spot is made first, so a rule's spots are made from its end. What is annotated: walk_wrap.c. */
#include "walker.h"

#include <stdlib.h>

#define LEVEL_MAX 4u     /* fallbacks within fallbacks: generator/README.md, "Fallbacks" */
#define ONE_BYTE_MAX 16u /* rules and brackets around a byte for it to count as one */

/* ---------------------------------------------------------------- notes */

const note_t *walk_note(const notes_t *notes, note_kind_t kind)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind == kind)
            return notes->items[i];
    return NULL;
}

static bool has_cut(const notes_t *notes)
{
    return walk_note(notes, NOTE_CUT) != NULL;
}

static bool has_cut_below(const node_t *node)
{
    if (has_cut(&node->notes))
        return true;
    for (size_t i = 0; i < node->children.count; i++)
        if (has_cut_below(node->children.items[i]))
            return true;
    return false;
}

/* ---------------------------------------------------------------- one byte */

charset_t walk_letter(unsigned byte, bool is_case_sensitive)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    charset_t set = charset_range(byte, byte);
    return is_letter && !is_case_sensitive ? charset_union(set, charset_range(byte ^ 0x20u, byte ^ 0x20u)) : set;
}

/* Does the node read exactly one byte, and nothing more can be said of it? */
static bool is_one_byte(const node_t *node, unsigned depth, charset_t *set)
{
    charset_t one;
    if (depth == 0 || node->notes.count > 0)
        return false;
    switch (node->kind) {
    case NODE_SET:
        *set = node->set;
        return true;
    case NODE_STRING:
        *set = node->len == 1 ? walk_letter((unsigned char)node->text[0], node->is_case_sensitive) : charset_none();
        return node->len == 1;
    case NODE_RULE:
        return node->rule->notes.count == 0 && is_one_byte(node->rule->body, depth - 1, set);
    case NODE_CHOICE:
        *set = charset_none();
        for (size_t i = 0; i < node->children.count; i++) {
            if (!is_one_byte(node->children.items[i], depth - 1, &one))
                return false;
            *set = charset_union(*set, one);
        }
        return node->children.count > 0;
    case NODE_SEQUENCE:
        return node->children.count == 1 && is_one_byte(node->children.items[0], depth - 1, set);
    default:
        return false;
    }
}

const note_t *walk_count_of_bytes(const notes_t *notes, const node_t *body)
{
    charset_t set;
    bool is_of_bytes = body->kind == NODE_REPEAT && is_one_byte(body->children.items[0], ONE_BYTE_MAX, &set);
    return is_of_bytes ? walk_note(notes, NOTE_COUNT) : NULL;
}

const charset_t *walk_set(spot_t *spot)
{
    if (spot->has_first)
        return &spot->first;
    spot->has_first = true;
    if (spot->kind == SPOT_BYTE && spot->node->kind == NODE_SET)
        spot->first = spot->node->set; /* also where it is annotated */
    else if (spot->kind == SPOT_BYTE)
        is_one_byte(spot->node, ONE_BYTE_MAX, &spot->first);
    else
        spot->first = walk_letter((unsigned char)spot->node->text[spot->n], spot->node->is_case_sensitive);
    return &spot->first;
}

/* ---------------------------------------------------------------- spots of nodes */

/* Those of its items from number n on. */
static spot_t *make_items(walk_t *w, const node_t *node, size_t n, const note_t *refinement, const refine_entry_t *entry,
                          const frame_t *frame, spot_t *next)
{
    if (n >= node->children.count)
        return next;
    spot_t spot;
    walk_blank_spot(&spot, SPOT_ITEMS, frame, next);
    spot.node = node;
    spot.n = (unsigned)n;
    spot.note = refinement;
    spot.entry = entry;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_numbered(walk_t *w, spot_kind_t kind, const node_t *node, unsigned n, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, kind, frame, next);
    spot.node = node;
    spot.n = n;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_make_node(walk_t *w, const node_t *node, const frame_t *frame, spot_t *next)
{
    charset_t set;
    if (node->kind == NODE_SET || is_one_byte(node, ONE_BYTE_MAX, &set))
        return walk_numbered(w, SPOT_BYTE, node, 0, frame, next);
    switch (node->kind) {
    case NODE_SET:
    case NODE_EMPTY:
        return next;
    case NODE_STRING:
        return node->len ? walk_numbered(w, SPOT_TEXT, node, 0, frame, next) : next;
    case NODE_SEQUENCE:
        return make_items(w, node, 0, NULL, NULL, frame, next);
    case NODE_REPEAT:
        return walk_numbered(w, SPOT_REPEAT, node, 0, frame, next);
    case NODE_CHOICE:
    case NODE_RULE:
        return walk_numbered(w, SPOT_NODE, node, 0, frame, next);
    }
    return next;
}

spot_t *walk_make_effect(walk_t *w, const frame_t *frame, const effect_t *effect, spot_t *next)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_EFFECT, frame, next);
    spot.effect = effect;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_make_scope(walk_t *w, spot_kind_t kind, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    if (!w->has_cut)
        return next;
    walk_blank_spot(&spot, kind, frame, next);
    return walk_intern_spot(w, &spot);
}

spot_t *walk_make_enter(walk_t *w, const frame_t *frame, spot_t *leave, spot_t *next)
{
    spot_t spot;
    if (!w->has_cut)
        return next;
    walk_blank_spot(&spot, SPOT_ENTER, frame, next);
    spot.other = leave;
    return walk_intern_spot(w, &spot);
}

spot_t *walk_make_trace(walk_t *w, const frame_t *frame, unsigned n, spot_t *next)
{
    return w->is_traced ? walk_numbered(w, SPOT_TRACE, NULL, n, frame, next) : next;
}

spot_t *walk_make_stop(walk_t *w, stop_kind_t stop, const frame_t *frame, const note_t *note, const node_t *node,
                         spot_t *next, spot_t *other)
{
    spot_t spot;
    walk_blank_spot(&spot, SPOT_STOP, frame, next);
    spot.stop = stop;
    spot.note = note;
    spot.node = node;
    spot.other = other;
    return walk_intern_spot(w, &spot);
}

/* ---------------------------------------------------------------- choices */

static bool has_when(const node_t *choice)
{
    for (size_t i = 0; i < choice->children.count; i++)
        if (walk_note(&choice->children.items[i]->notes, NOTE_WHEN))
            return true;
    return false;
}

/* In an atomic rule, alternatives that are only tolerated, behind the others, are those others' fallback. */
static spot_t *make_tolerant(walk_t *w, const node_t *node, unsigned strict, const frame_t *frame, spot_t *next)
{
    spot_t spot;
    const frame_t *guard = walk_guard_frame(w, frame, node, true);
    walk_blank_spot(&spot, SPOT_FALLBACK, frame, NULL);
    spot.node = node;
    spot.next = walk_numbered(w, SPOT_NODE, node, 1, guard, next);
    spot.other = walk_numbered(w, SPOT_NODE, node, 1 + strict, frame, next);
    return walk_make_effect(w, frame, walk_plain_effect(w, EFFECT_MARK, frame), walk_intern_spot(w, &spot));
}

/* n: 0 opens the whole choice; 1 the strict alternatives of a tolerant one; k + 1 those from number k on. */
static void open_choice(walk_t *w, spot_t *spot)
{
    const node_t *node = spot->node;
    unsigned count = (unsigned)node->children.count, strict = count;
    while (strict > 0 && walk_note(&node->children.items[strict - 1]->notes, NOTE_ANOMALY))
        strict--;
    unsigned begin = spot->n > 1 ? spot->n - 1 : 0, end = spot->n == 1 ? strict : count;
    const frame_t *frame = spot->frame;
    spot_t *next = spot->next, *first = NULL;
    if (spot->n == 0) {
        frame_t key;
        walk_link_frame(w, frame, node, &key);
        key.is_choice = true;
        frame = walk_intern_frame(w, &key);
        next = walk_make_scope(w, SPOT_LEAVE, frame, next);
        if (has_when(node))
            first = walk_make_stop(w, STOP_CHOICE, frame, NULL, node, next, NULL);
        else if (frame->is_atomic && frame->level < LEVEL_MAX && strict > 0 && strict < count)
            first = make_tolerant(w, node, strict, frame, next);
        if (first) {
            vec_push(w->arena, &spot->branches, walk_make_enter(w, frame, next, first));
            return;
        }
    }
    for (unsigned i = begin; i < end; i++) {
        spot_t *branch = walk_make_alternative(w, node->children.items[i], frame, next);
        vec_push(w->arena, &spot->branches, spot->n == 0 ? walk_make_enter(w, frame, next, branch) : branch);
    }
}

/* ---------------------------------------------------------------- opening spots */

static spot_t *open_items(walk_t *w, const spot_t *spot)
{
    const node_t *child = spot->node->children.items[spot->n];
    spot_t *next = make_items(w, spot->node, spot->n + 1u, spot->note, spot->entry, spot->frame, spot->next);
    if (!spot->note || child->kind != NODE_RULE || child->rule != spot->note->value)
        return walk_make_node(w, child, spot->frame, next);
    wrapped_t x = {.notes = &child->rule->notes,
                   .name = child->rule->name,
                   .body = child->rule->body,
                   .rule = child->rule,
                   .entry = spot->entry,
                   .reference = child};
    return walk_wrap(w, &x, spot->frame, next);
}

static void open_repeat(walk_t *w, spot_t *spot)
{
    const node_t *node = spot->node;
    unsigned most = node->max == REPEAT_UNBOUNDED ? node->min : node->max;
    bool can_go_on = node->max == REPEAT_UNBOUNDED || spot->n < node->max;
    if (can_go_on) {
        bool is_last = node->max != REPEAT_UNBOUNDED && spot->n + 1 == node->max;
        spot_t *again =
            is_last ? spot->next
                    : walk_numbered(w, SPOT_REPEAT, node, spot->n < most ? spot->n + 1 : most, spot->frame, spot->next);
        vec_push(w->arena, &spot->branches, walk_make_node(w, node->children.items[0], spot->frame, again));
    }
    if (spot->n >= node->min)
        vec_push(w->arena, &spot->branches, spot->next);
}

const spots_t *walk_open(walk_t *w, spot_t *spot)
{
    if (spot->is_open)
        return &spot->branches;
    spot->is_open = true;
    switch (spot->kind) {
    case SPOT_NODE:
        if (spot->node->kind == NODE_CHOICE)
            open_choice(w, spot);
        else
            vec_push(w->arena, &spot->branches, walk_make_rule(w, spot->node->rule, spot->node, spot->frame, spot->next));
        break;
    case SPOT_ITEMS:
        vec_push(w->arena, &spot->branches, open_items(w, spot));
        break;
    case SPOT_REPEAT:
        open_repeat(w, spot);
        break;
    case SPOT_SEARCH:
        walk_open_search(w, spot);
        break;
    case SPOT_TEXT:
        vec_push(w->arena, &spot->branches,
                 spot->n + 1 < spot->node->len
                     ? walk_numbered(w, SPOT_TEXT, spot->node, spot->n + 1, spot->frame, spot->next)
                     : spot->next);
        break;
    case SPOT_BYTE:
    case SPOT_EFFECT:
    case SPOT_ENTER:
    case SPOT_LEAVE:
    case SPOT_TRACE:
    case SPOT_CUT:
    case SPOT_FALLBACK:
        vec_push(w->arena, &spot->branches, spot->next);
        break;
    case SPOT_STOP:
    case SPOT_END:
        break;
    }
    return &spot->branches;
}

static bool is_plain_node(walk_t *w, const node_t *node);

static bool is_plain(walk_t *w, const notes_t *notes, const node_t *body)
{
    for (size_t i = 0; i < notes->count; i++)
        if (notes->items[i]->kind != NOTE_CUT)
            return false;
    return is_plain_node(w, body);
}

/* Is no annotation in it that does anything? */
static bool is_plain_node(walk_t *w, const node_t *node)
{
    if (node->kind == NODE_RULE) {
        unsigned *known = &w->plain[node->rule->index];
        if (*known == 0) {
            *known = 2; /* the answer for one that is within itself */
            *known = is_plain(w, &node->rule->notes, node->rule->body) ? 2 : 1;
        }
        return *known == 2;
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (!is_plain(w, &node->children.items[i]->notes, node->children.items[i]))
            return false;
    return true;
}

bool walk_is_joint(walk_t *w, const spot_t *one, const spot_t *other)
{
    return one->stop == STOP_CALL && other->stop == STOP_CALL && one->rule == other->rule &&
           is_plain(w, &one->rule->notes, one->rule->body);
}

spot_t *walk_enter_joint(walk_t *w, const spot_t *call)
{
    spot_t rejoin;
    walk_blank_spot(&rejoin, SPOT_STOP, call->frame, NULL);
    rejoin.stop = STOP_REJOIN;
    return walk_enter_call(w, call->rule, call->reference, call->frame, walk_intern_spot(w, &rejoin));
}

spot_t *walk_target(walk_t *w, const spot_t *stop, size_t n)
{
    if (stop->stop == STOP_CHOICE)
        return walk_make_alternative(w, stop->node->children.items[n], stop->frame, stop->next);
    if (stop->stop == STOP_CALL)
        return walk_enter_call(w, stop->rule, stop->reference, stop->frame, stop->next);
    if (stop->stop == STOP_COUNT || stop->stop == STOP_ROUND) {
        n = stop->stop == STOP_COUNT ? n : stop->n;
        spot_t round;
        walk_blank_spot(&round, SPOT_STOP, stop->frame, stop->next);
        round.stop = STOP_ROUND;
        round.node = stop->node;
        round.n = (unsigned)(n < UINT32_MAX ? n : UINT32_MAX);
        if (stop->stop == STOP_COUNT)
            return walk_intern_spot(w, &round);
        if (n == 0)
            return stop->next;
        round.n--;
        return walk_make_node(w, stop->node->children.items[0], stop->frame, walk_intern_spot(w, &round));
    }
    if (stop->stop != STOP_REFINE)
        return stop->next;
    size_t by = 0;
    while (by < stop->node->children.count && stop->node->children.items[by]->rule != stop->note->by)
        by++;
    const refine_entry_t *entry = n ? &stop->note->entries.items[n - 1] : NULL;
    return make_items(w, stop->node, by + 1, entry ? stop->note : NULL, entry, stop->frame, stop->next);
}

/* ---------------------------------------------------------------- the whole */

spot_t *walk_start(walk_t *w, const node_t *root)
{
    spot_t end;
    BLANK(frame_t, top);
    top.root = root;
    const frame_t *frame = walk_intern_frame(w, &top);
    return walk_make_node(w, root, frame, walk_intern_spot(w, walk_blank_spot(&end, SPOT_END, frame, NULL)));
}

const char *walk_rule_name(const frame_t *frame)
{
    while (frame && frame->rule && frame->rule->is_core)
        frame = frame->parent;
    return frame && frame->rule ? frame->rule->name : "";
}

size_t walk_size(const walk_t *w)
{
    return w->spots.count;
}

walk_t *walk_new(const grammar_t *grammar, bool is_traced)
{
    arena_t *arena = arena_new();
    walk_t *w = ARENA_NEW(arena, walk_t);
    w->arena = arena;
    w->grammar = grammar;
    w->is_traced = is_traced;
    w->spots = (table_t){.key = offsetof(spot_t, seen), .size = sizeof(spot_t)};
    w->frames = (table_t){.key = sizeof(frame_t), .size = sizeof(frame_t)};
    w->effects = (table_t){.key = sizeof(effect_t), .size = sizeof(effect_t)};
    w->names = (table_t){.key = offsetof(place_name_t, path), .size = sizeof(place_name_t)};
    w->resumable = ARENA_ARRAY(arena, unsigned, grammar->rules.count + 1);
    w->plain = ARENA_ARRAY(arena, unsigned, grammar->rules.count + 1);
    walk_find_feeds(w);
    for (size_t i = 0; i < grammar->rules.count; i++)
        w->has_cut |= has_cut(&grammar->rules.items[i]->notes) || has_cut_below(grammar->rules.items[i]->body);
    return w;
}

void walk_free(walk_t *w)
{
    free(w->spots.slots);
    free(w->frames.slots);
    free(w->effects.slots);
    free(w->names.slots);
    arena_free(w->arena);
}
