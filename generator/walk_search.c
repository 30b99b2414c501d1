/* walk_search.c: where parsing can resume after an error: every reference to a `resync` rule that can be met from the
 * root. */
#include "walker.h"

#include "resume.h"

/* Can a rule at which parsing resumes be found in the node? */
bool walk_is_resumable(walk_t *w, const node_t *node)
{
    if (node->kind == NODE_RULE) {
        unsigned *known = &w->resumable[node->rule->index];
        if (*known == 0) {
            *known = 1; /* the answer for one that is within itself */
            *known = walk_note(&node->rule->notes, NOTE_RESYNC) || walk_is_resumable(w, node->rule->body) ? 2 : 1;
        }
        return *known == 2;
    }
    for (size_t i = 0; i < node->children.count; i++)
        if (walk_is_resumable(w, node->children.items[i]))
            return true;
    return false;
}

static bool is_within(const frame_t *frame, const rule_t *rule)
{
    for (; frame; frame = frame->parent)
        if (frame->is_rule && frame->rule == rule)
            return true;
    return false;
}

/* Is the rule that the spot refers to looked for there? */
static bool is_meant(walk_t *w, const spot_t *spot, const node_t *root)
{
    resume_steps_t steps = {0};
    const rule_t *around = spot->frame->rule;
    vec_push(w->arena, &steps, ((resume_step_t){around ? around->body : root, spot->node}));
    for (const frame_t *f = spot->frame; f; f = f->parent)
        if (f->is_rule)
            vec_push(w->arena, &steps, ((resume_step_t){f->parent->rule ? f->parent->rule->body : root, f->reference}));
    return resume_is_meant(w->arena, w->grammar, root, spot->node->rule, &steps);
}

/* Adds to `found` the references to such rules that can be met from `spot` on. */
static void find_resumable(walk_t *w, spot_t *spot, spots_t *found, unsigned number)
{
    while (spot && spot->seen != number) {
        spot->seen = number;
        if (spot->kind == SPOT_NODE && (spot->node->kind == NODE_RULE || spot->n == 0) &&
            !walk_is_resumable(w, spot->node)) {
            spot = spot->next;
            continue;
        }
        if (spot->kind == SPOT_NODE && spot->node->kind == NODE_RULE && !spot->node->rule->is_called) {
            if (walk_note(&spot->node->rule->notes, NOTE_RESYNC) && is_meant(w, spot, spot->frame->root))
                vec_push(w->arena, found, spot);
            if (is_within(spot->frame, spot->node->rule)) {
                spot = spot->next;
                continue;
            }
        }
        if (spot->kind == SPOT_STOP) {
            if (spot->stop == STOP_CALL) { /* nothing resumes in it */
                spot = spot->next;
                continue;
            }
            size_t ways = spot->stop == STOP_CHOICE   ? spot->node->children.count
                          : spot->stop == STOP_REFINE ? spot->note->entries.count + 1
                          : spot->stop == STOP_COUNT  ? 2
                                                      : 1;
            for (size_t i = 0; i < ways; i++)
                find_resumable(w, walk_target(w, spot, i), found, number);
            spot = spot->stop == STOP_ROUND ? spot->next : spot->other;
            continue;
        }
        if (spot->kind == SPOT_FALLBACK)
            find_resumable(w, spot->other, found, number);
        const spots_t *branches = walk_open(w, spot);
        for (size_t i = 0; i + 1 < branches->count; i++)
            find_resumable(w, branches->items[i], found, number);
        spot = branches->count ? branches->items[branches->count - 1] : NULL;
    }
}

void walk_open_search(walk_t *w, spot_t *spot)
{
    spots_t found = {0};
    find_resumable(w, walk_start(w, spot->node), &found, UINT32_MAX);
    for (size_t i = 0; i < w->spots.capacity; i++)
        if (w->spots.slots[i])
            ((spot_t *)w->spots.slots[i])->seen = 0;
    for (size_t i = 0; i < found.count; i++) {
        const spot_t *s = found.items[i];
        const rule_t *rule = s->node->rule;
        wrapped_t x = {.notes = &rule->notes,
                       .name = rule->name,
                       .body = rule->body,
                       .rule = rule,
                       .resumed = s->frame,
                       .reference = s->node};
        vec_push(w->arena, &spot->branches, walk_wrap(w, &x, s->frame, s->next));
    }
}

spot_t *walk_search(walk_t *w, const node_t *root)
{
    BLANK(frame_t, top);
    top.root = root;
    return walk_is_resumable(w, root) ? walk_numbered(w, SPOT_SEARCH, root, 0, walk_intern_frame(w, &top), NULL) : NULL;
}
